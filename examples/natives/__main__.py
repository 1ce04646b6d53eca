"""``python -m examples.natives``: the native services alone, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import ExitStack

from examples.console import say, show_exchange
from examples.natives.service import PortTaken
from examples.places import Places, start_natives

_PATHS = {"pets": "/v2/pets", "stock": "/stock?wsdl", "catalog": "/odata/Products", "parcels": "/track/7001"}


def main() -> int:
    """Serve until told to stop; 2 when a port is taken."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.natives", description="Native services to try a gateway on."
    )
    default = Places()
    for name in _PATHS:
        port = getattr(default, name)
        parser.add_argument(
            f"--{name}", type=int, default=port, metavar="PORT", help=f"default {port}, 0 for any"
        )
    places = Places(**vars(parser.parse_args()))
    # Blocked before any thread starts, so that only sigwait below ever receives them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    with ExitStack() as stack:
        try:
            services = start_natives(stack, places, show_exchange)
        except PortTaken as taken:
            sys.stderr.write(f"{taken}\n")
            return 2
        for name, service in services.items():
            say(f"{name:<10} {service.url}{_PATHS[name]}")
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


if __name__ == "__main__":
    sys.exit(main())
