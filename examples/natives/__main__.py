"""``python -m examples.natives``: the native services alone, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import ExitStack

from examples.console import print_exchange, print_line
from examples.natives.service import PortInUse
from examples.servers import Ports, start_native_services

_PATHS = {"pets": "/v2/pets", "stock": "/stock?wsdl", "catalog": "/odata/Products", "parcels": "/track/7001"}


def main() -> int:
    """Serve until a signal; 2 if a port is in use."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.natives", description="Native services to try a gateway with."
    )
    default = Ports()
    for name in _PATHS:
        port = getattr(default, name)
        parser.add_argument(
            f"--{name}", type=int, default=port, metavar="PORT", help=f"default {port}; 0 picks a free port"
        )
    ports = Ports(**vars(parser.parse_args()))
    # Blocked before any thread starts, so that only sigwait below receives them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    with ExitStack() as stack:
        try:
            services = start_native_services(stack, ports, print_exchange)
        except PortInUse as in_use:
            sys.stderr.write(f"{in_use}\n")
            return 2
        for name, service in services.items():
            print_line(f"{name:<10} {service.url}{_PATHS[name]}")
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


if __name__ == "__main__":
    sys.exit(main())
