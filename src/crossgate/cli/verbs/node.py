"""``crossgate node``: one more Envoy for a control plane that runs elsewhere."""

from __future__ import annotations

from typing import Annotated

import typer


def node(
    control_plane: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where the control plane listens: unix:/path or 127.0.0.1:PORT (`crossgate run --xds`).",
            show_default=False,
        ),
    ],
    node_id: Annotated[
        str,
        typer.Option("--id", help="Tells this node from others.", show_default="host name and process id"),
    ] = "",
    concurrency: Annotated[int, typer.Option(min=0, help="Worker threads of Envoy; 0 is one a core.")] = 0,
) -> None:
    """Run an Envoy that takes its configuration from a control plane, and serves on when that goes away.

    Ends on Ctrl-C or SIGTERM, after the requests it has begun.
    """
    from crossgate.app.node import NodeOptions, run_node
    from crossgate.cli.output.events import EventPrinter
    from crossgate.cli.process import log_to_stderr, until_stopped
    from crossgate.diagnostics import Diagnostic, InvalidInput
    from crossgate.net.address import parse_control_plane_address

    log_to_stderr()
    address = parse_control_plane_address(control_plane)
    if isinstance(address, Diagnostic):
        raise InvalidInput([address])
    options = NodeOptions(address, node_id, concurrency or None)
    printer = EventPrinter()
    until_stopped(lambda stop: run_node(options, printer.emit, stop))
