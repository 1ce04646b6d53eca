"""``crossgate run``: a gateway on one machine."""

from __future__ import annotations

import gc
from typing import Annotated

import typer

from crossgate.cli.arguments import (
    DEFAULT_DRAIN_SECONDS,
    XDS_HELP,
    AdminAddress,
    AdminHosts,
    AdminInClearText,
    Concurrency,
    ConsoleLink,
    DatabaseUrl,
    DataDirectory,
    DrainTime,
    HealthAddress,
    HealthHosts,
    ListenAddress,
    LogFormatOption,
    LogLevelOption,
    OidcFile,
    OtlpUrl,
    ServedFile,
    XdsMode,
)
from crossgate.dataplane.binary import start_finding_envoy
from crossgate.net.address import SocketMode
from crossgate.service.log import LogFormat, LogLevel


def run(
    file: ServedFile = None,
    *,
    data: DataDirectory = None,
    database: DatabaseUrl = "",
    listen: ListenAddress = "",
    admin: AdminAddress = "",
    admin_host: AdminHosts = None,
    admin_in_clear_text: AdminInClearText = False,
    oidc: OidcFile = None,
    console_link: ConsoleLink = True,
    envoy: Annotated[
        bool, typer.Option(help="Start Envoy. Without it, start nodes with `crossgate node`.")
    ] = True,
    xds: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help=XDS_HELP,
            show_default="a private socket",
        ),
    ] = "",
    xds_mode: XdsMode = SocketMode.OWNER,
    concurrency: Concurrency = 0,
    drain_time: DrainTime = DEFAULT_DRAIN_SECONDS,
    otlp: OtlpUrl = "",
    health: HealthAddress = "",
    health_host: HealthHosts = None,
    log_format: LogFormatOption = LogFormat.AUTO,
    log_level: LogLevelOption = LogLevel.INFO,
) -> None:
    """Run a gateway from a document or a store, and enforce every change without a restart.

    A document with errors is refused, and the last valid configuration stays in force. The first start with a
    new store writes a token for the admin API to a file, and prints the path. Ctrl-C or SIGTERM stop the
    gateway after its current requests. Without a controlling terminal, SIGHUP restarts it, with the code that
    is installed then, while clients are served.
    """
    # Imports leave no garbage; `run_gateway` turns the collector on again when the start is over.
    gc.disable()
    # `envoy --version` runs while the modules below are loaded: a start with 5,000 APIs takes 3.2 to 4.1 s,
    # and docs/explanation/performance.md aims at 4 s, measured by bench/store_propagation.py.
    find_envoy = start_finding_envoy() if envoy else None
    from crossgate.cli.process import process_log

    with process_log(log_format, log_level) as dropped_lines:
        from crossgate.cli.gateway import GatewayArguments, run_control_plane, xds_address

        arguments = GatewayArguments(
            file=file,
            data=data,
            database=database,
            listen=listen,
            admin=admin,
            admin_host=admin_host,
            admin_in_clear_text=admin_in_clear_text,
            oidc=oidc,
            console_link=console_link,
            xds_mode=xds_mode,
            otlp=otlp,
            health=health,
            health_host=health_host,
        )
        address = xds_address(xds) if xds else None
        run_control_plane(arguments, address, dropped_lines, find_envoy, concurrency, drain_time)
