"""``crossgate run``: the whole gateway on one machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    file: Annotated[Path, typer.Argument(help="The document that declares the gateway.", show_default=False)],
    envoy: Annotated[
        bool, typer.Option(help="Start Envoy here; without it, nodes join by `crossgate node`.")
    ] = True,
    xds: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where nodes find the control plane: unix:/path or 127.0.0.1:PORT.",
            show_default="a socket of its own",
        ),
    ] = "",
    concurrency: Annotated[int, typer.Option(min=0, help="Worker threads of Envoy; 0 is one a core.")] = 0,
) -> None:
    """Start the gateway, say what is served where, and follow the file.

    A saved change is enforced without a restart; a bad one is refused, and what was there goes on serving.
    Ends on Ctrl-C or SIGTERM, after the requests it has begun.
    """
    from crossgate.bootstrap.gateway import Options, run_gateway
    from crossgate.cli.serving import log_to_stderr, until_stopped
    from crossgate.cli.telling import Teller
    from crossgate.xds.listening import parse_address

    log_to_stderr()
    options = Options(file, envoy, parse_address(xds) if xds else None, concurrency or None)
    teller = Teller(str(file))
    until_stopped(lambda stop: run_gateway(options, teller.announce, stop))
