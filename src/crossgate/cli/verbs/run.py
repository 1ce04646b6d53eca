"""``crossgate run``: a gateway on one machine."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Annotated, Final

import typer

from crossgate.cli.arguments import (
    DEFAULT_ADMIN_ADDRESS,
    DEFAULT_HEALTH_ADDRESS,
    Concurrency,
    DatabaseUrl,
    DataDirectory,
    HealthHosts,
    LogFormatOption,
    LogLevelOption,
)
from crossgate.dataplane.binary import start_finding_envoy
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.net.address import parse_admin_address, parse_control_plane_address, parse_listen_address
from crossgate.service.log import LogFormat, LogLevel
from crossgate.telemetry.otlp_target import parse_otlp_url

_OFF: Final = "off"


def run(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="The YAML document to serve and follow. Without it, the gateway serves a store.",
            show_default=False,
        ),
    ] = None,
    *,
    data: DataDirectory = None,
    database: DatabaseUrl = "",
    listen: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT",
            help="The gateway's address, written to the store. Not with a file.",
            show_default="the store's; 127.0.0.1:8080 in a new store",
        ),
    ] = "",
    admin: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT",
            help="Address of the admin API, or `off`.",
            show_default=DEFAULT_ADMIN_ADDRESS,
        ),
    ] = "",
    admin_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Host name under which clients reach the admin API, besides localhost. Repeatable.",
            show_default=False,
        ),
    ] = None,
    admin_in_clear_text: Annotated[
        bool,
        typer.Option(
            "--admin-in-clear-text",
            help="Accept an --admin address that other machines can reach: tokens travel unencrypted.",
        ),
    ] = False,
    oidc: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The YAML file that says how people sign in to the console with their company's provider.",
            show_default=False,
        ),
    ] = None,
    console_link: Annotated[
        bool,
        typer.Option(
            help="Print a link that signs in to the console as an admin, once and within 10 minutes. Use"
            " --no-console-link where the log has other readers."
        ),
    ] = True,
    envoy: Annotated[
        bool, typer.Option(help="Start Envoy. Without it, start nodes with `crossgate node`.")
    ] = True,
    xds: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Address of the control plane, for nodes: unix:/path or 127.0.0.1:PORT.",
            show_default="a private socket",
        ),
    ] = "",
    concurrency: Concurrency = 0,
    otlp: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Export metrics to this OpenTelemetry collector, such as http://collector:4318.",
            show_default="as OTEL_EXPORTER_OTLP_ENDPOINT and other standard variables say",
        ),
    ] = "",
    health: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT",
            help="Address of the health checks and of /metrics, without tokens, or `off`. They name APIs."
            " A default address that is taken is reported, and not used.",
            show_default=DEFAULT_HEALTH_ADDRESS,
        ),
    ] = "",
    health_host: HealthHosts = None,
    log_format: LogFormatOption = LogFormat.AUTO,
    log_level: LogLevelOption = LogLevel.INFO,
) -> None:
    """Run a gateway from a document or a store, and enforce every change without a restart.

    A document with errors is refused, and the last valid configuration stays in force. The first start with a
    new store writes a token for the admin API to a file, and prints the path. Ctrl-C or SIGTERM stop the
    gateway after its current requests.
    """
    # Imports leave no garbage; `run_gateway` turns the collector on again when the start is over.
    gc.disable()
    # `envoy --version` runs while the modules below are loaded: a start with 5,000 APIs takes 3.2 to 4.1 s,
    # and docs/explanation/performance.md aims at 4 s, measured by bench/store_propagation.py.
    find_envoy = start_finding_envoy() if envoy else None
    from crossgate.cli.process import process_log

    with process_log(log_format, log_level) as dropped_lines:
        from crossgate.app.gateway import AdminOptions, GatewayOptions, run_gateway
        from crossgate.cli.health import health_options
        from crossgate.cli.output.events import EventLog
        from crossgate.cli.process import run_until_signal
        from crossgate.cli.stores import store_location

        if file is not None:
            # --database is not refused: CROSSGATE_DATABASE may be set for gateways without a file.
            _refuse_with_file("--data", data)
            _refuse_with_file("--listen", listen)
        source = store_location(data, database) if file is None else file
        listen_address = parse_listen_address(listen) if listen else None
        if isinstance(listen_address, Diagnostic):
            raise InvalidInput([listen_address])
        xds_address = parse_control_plane_address(xds) if xds else None
        if isinstance(xds_address, Diagnostic):
            raise InvalidInput([xds_address])
        otlp_url = parse_otlp_url(otlp) if otlp else None
        if isinstance(otlp_url, Diagnostic):
            raise InvalidInput([otlp_url])
        admin_options = None
        if admin != _OFF:
            address = parse_admin_address(admin or DEFAULT_ADMIN_ADDRESS, in_clear_text=admin_in_clear_text)
            if isinstance(address, Diagnostic):
                raise InvalidInput([address])
            company = None
            names = list(admin_host or [])
            if oidc is not None:
                from crossgate.console.oidc.options import read_oidc_options

                company = read_oidc_options(oidc, os.environ)
                names.append(company.console_host)
            # A store cannot be changed without the API; a gateway with a file is complete without it.
            required = file is None or bool(admin)
            admin_options = AdminOptions(address, tuple(names), required, company, console_link)
        options = GatewayOptions(
            source,
            find_envoy,
            xds_address,
            concurrency or None,
            admin_options,
            listen_address,
            otlp_url,
            health_options(health, DEFAULT_HEALTH_ADDRESS, health_host),
            dropped_lines,
        )
        emit = EventLog(str(source)).emit
        run_until_signal(lambda stop: run_gateway(options, emit, stop))


def _refuse_with_file(option: str, value: object) -> None:
    if value:
        message = f"{option} cannot be combined with a file, which is then the gateway's only source"
        remedy = f"Omit the file to run from a store, or omit {option}"
        raise InvalidInput([Diagnostic("option-conflict", message, remedy, found=str(value))])
