"""``crossgate node``: one more Envoy for a control plane in another process."""

from __future__ import annotations

from typing import Annotated

import typer

from crossgate.app.node import NodeOptions, run_node
from crossgate.app.service_manager import notifying
from crossgate.cli.arguments import (
    DEFAULT_DRAIN_SECONDS,
    DEFAULT_NODE_HEALTH_ADDRESS,
    Concurrency,
    DrainTime,
    HealthHosts,
    LogFormatOption,
    LogLevelOption,
)
from crossgate.cli.health import health_options
from crossgate.cli.output.events import EventLog
from crossgate.cli.process import process_log, run_until_signal
from crossgate.cli.restart import is_trial, try_start
from crossgate.dataplane.binary import find_envoy
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.net.address import parse_control_plane_address
from crossgate.service.log import LogFormat, LogLevel


def node(
    control_plane: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Address of the control plane: that of --xds, or what the log of `crossgate serve` names.",
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
    drain_time: DrainTime = DEFAULT_DRAIN_SECONDS,
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

    Ctrl-C or SIGTERM stop the node after its current requests. Without a controlling terminal, SIGHUP
    restarts it, with the code that is installed then, while clients are served.
    """
    with process_log(log_format, log_level):
        address = parse_control_plane_address(control_plane)
        if isinstance(address, Diagnostic):
            raise InvalidInput([address])
        checks = health_options(health, DEFAULT_NODE_HEALTH_ADDRESS, health_host)
        options = NodeOptions(address, node_id, concurrency or None, checks)
        emit = notifying(EventLog().emit)
        if is_trial():
            try_start(None, find_envoy)
            return
        run_until_signal(
            lambda take_over: run_node(options, emit, take_over.end, take_over), emit, checks, drain_time
        )
