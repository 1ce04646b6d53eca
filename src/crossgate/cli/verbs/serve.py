"""``crossgate serve``: the control plane of a gateway, whose nodes run in processes of their own."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from crossgate.app.control_plane_socket import default_control_plane_socket
from crossgate.cli.arguments import (
    XDS_HELP,
    AdminAddress,
    AdminHosts,
    AdminInClearText,
    ConsoleLink,
    DatabaseUrl,
    DataDirectory,
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
from crossgate.cli.gateway import GatewayArguments, run_control_plane, xds_address
from crossgate.cli.process import process_log
from crossgate.net.address import SocketMode
from crossgate.service.log import LogFormat, LogLevel


def serve(
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
    xds: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help=XDS_HELP,
            show_default="unix:DIR/xds.sock, where DIR is RUNTIME_DIRECTORY, which systemd sets, or"
            " XDG_RUNTIME_DIR/crossgate, or /tmp/crossgate-UID",
        ),
    ] = "",
    xds_mode: XdsMode = SocketMode.OWNER,
    otlp: OtlpUrl = "",
    health: HealthAddress = "",
    health_host: HealthHosts = None,
    log_format: LogFormatOption = LogFormat.AUTO,
    log_level: LogLevelOption = LogLevel.INFO,
) -> None:
    """Run the control plane of a gateway: the admin API, the console, and the service that nodes connect to.

    It starts no Envoy. Each `crossgate node` starts one, which goes on serving when this process ends. The
    log names the address for `crossgate node --control-plane`. Without a controlling terminal, SIGHUP
    restarts it, with the code that is installed then.
    """
    with process_log(log_format, log_level) as dropped_lines:
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
        address = xds_address(xds) if xds else default_control_plane_socket(os.environ)
        run_control_plane(arguments, address, dropped_lines)
