"""What the verbs that start a control plane share: their arguments become options, and it runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from crossgate.app.gateway import AdminOptions, GatewayOptions, run_gateway
from crossgate.app.kept_token import state_directory
from crossgate.app.service_manager import notifying
from crossgate.cli.arguments import DEFAULT_ADMIN_ADDRESS, DEFAULT_DRAIN_SECONDS, DEFAULT_HEALTH_ADDRESS
from crossgate.cli.health import health_options
from crossgate.cli.output.events import EventLog
from crossgate.cli.process import run_until_signal
from crossgate.cli.restart import is_trial, try_start
from crossgate.cli.stores import store_location
from crossgate.dataplane.binary import EnvoyBinary
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.net.address import (
    Address,
    SocketMode,
    parse_admin_address,
    parse_control_plane_address,
    parse_listen_address,
)
from crossgate.telemetry.otlp_target import parse_otlp_url

_OFF: Final = "off"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayArguments:
    """The arguments that ``run`` and ``serve`` have in common, as they were given."""

    file: Path | None
    data: Path | None
    database: str
    listen: str
    admin: str
    admin_host: Sequence[str] | None
    admin_in_clear_text: bool
    oidc: Path | None
    console_link: bool
    xds_mode: SocketMode
    otlp: str
    health: str
    health_host: Sequence[str] | None


def run_control_plane(
    arguments: GatewayArguments,
    xds: Address | None,
    dropped_lines: Callable[[], int],
    find_envoy: Callable[[], EnvoyBinary] | None = None,
    concurrency: int = 0,
    drain_seconds: float = DEFAULT_DRAIN_SECONDS,
) -> None:
    """Run a gateway until a signal ends it. Without ``find_envoy``, it starts no Envoy.

    Raises:
        InvalidInput: an argument is invalid, or the gateway cannot start.

    """
    if arguments.file is not None:
        # --database is not refused: CROSSGATE_DATABASE may be set for gateways without a file.
        _refuse_with_file("--data", arguments.data)
        _refuse_with_file("--listen", arguments.listen)
    source = arguments.file or store_location(arguments.data, arguments.database)
    options = GatewayOptions(
        source,
        find_envoy,
        xds,
        arguments.xds_mode,
        concurrency or None,
        _admin_options(arguments),
        _parsed(parse_listen_address(arguments.listen)) if arguments.listen else None,
        _parsed(parse_otlp_url(arguments.otlp)) if arguments.otlp else None,
        health_options(arguments.health, DEFAULT_HEALTH_ADDRESS, arguments.health_host),
        state_directory(os.environ),
        dropped_lines,
    )
    if is_trial():
        try_start(source, find_envoy)
        return
    emit = notifying(EventLog(str(source)).emit)
    run_until_signal(
        lambda take_over: run_gateway(options, emit, take_over.end, take_over),
        emit,
        options.health,
        drain_seconds,
    )


def xds_address(raw: str) -> Address:
    """Where nodes connect; raises InvalidInput if it is malformed."""
    address = parse_control_plane_address(raw)
    if isinstance(address, Diagnostic):
        raise InvalidInput([address])
    return address


def _parsed(value: _T | Diagnostic) -> _T:
    """The value of an option; raises InvalidInput with its diagnostic."""
    if isinstance(value, Diagnostic):
        raise InvalidInput([value])
    return value


def _admin_options(arguments: GatewayArguments) -> AdminOptions | None:
    if arguments.admin == _OFF:
        return None
    in_clear_text = arguments.admin_in_clear_text
    raw = arguments.admin or DEFAULT_ADMIN_ADDRESS
    address = _parsed(parse_admin_address(raw, in_clear_text=in_clear_text))
    company = None
    names = list(arguments.admin_host or [])
    if arguments.oidc is not None:
        from crossgate.console.oidc.options import read_oidc_options

        company = read_oidc_options(arguments.oidc, os.environ)
        names.append(company.console_host)
    # A store cannot be changed without the API; a gateway with a file is complete without it.
    required = arguments.file is None or bool(arguments.admin)
    return AdminOptions(address, tuple(names), required, company, arguments.console_link)


def _refuse_with_file(option: str, value: object) -> None:
    if value:
        message = f"{option} cannot be combined with a file, which is then the gateway's only source"
        remedy = f"Omit the file to run from a store, or omit {option}"
        raise InvalidInput([Diagnostic("option-conflict", message, remedy, found=str(value))])
