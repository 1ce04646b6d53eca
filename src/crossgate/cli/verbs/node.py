"""``crossgate node``: one more Envoy for a control plane in another process."""

from __future__ import annotations

from typing import Annotated

import typer

from crossgate.app.node import NodeOptions, run_node
from crossgate.cli.arguments import (
    DEFAULT_NODE_HEALTH_ADDRESS,
    Concurrency,
    HealthHosts,
    LogFormatOption,
    LogLevelOption,
)
from crossgate.cli.health import health_options
from crossgate.cli.output.events import EventLog
from crossgate.cli.process import process_log, run_until_signal
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.net.address import parse_control_plane_address
from crossgate.service.log import LogFormat, LogLevel


def node(
    control_plane: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Address of the control plane, as `crossgate run --xds` has it.",
            show_default=False,
        ),
    ],
    node_id: Annotated[
        str,
        typer.Option(
            "--id",
            metavar="ID",
            help="Name of this node, unique among those of the control plane.",
            show_default="host name and process id",
        ),
    ] = "",
    concurrency: Concurrency = 0,
    health: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT",
            help="Address of the health checks, without tokens, or `off`. A default address that is taken is"
            " reported, and not used.",
            show_default=DEFAULT_NODE_HEALTH_ADDRESS,
        ),
    ] = "",
    health_host: HealthHosts = None,
    log_format: LogFormatOption = LogFormat.AUTO,
    log_level: LogLevelOption = LogLevel.INFO,
) -> None:
    """Run an Envoy that takes its configuration from a control plane, and keeps serving without it.

    Ctrl-C or SIGTERM stop the node after its current requests.
    """
    with process_log(log_format, log_level):
        address = parse_control_plane_address(control_plane)
        if isinstance(address, Diagnostic):
            raise InvalidInput([address])
        checks = health_options(health, DEFAULT_NODE_HEALTH_ADDRESS, health_host)
        options = NodeOptions(address, node_id, concurrency or None, checks)
        emit = EventLog().emit
        run_until_signal(lambda stop: run_node(options, emit, stop))
