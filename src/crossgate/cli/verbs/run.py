"""``crossgate run``: the whole gateway on one machine."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossgate.cli.arguments import DatabaseUrl, DataDirectory
from crossgate.diagnostics import Diagnostic, InvalidInput

if TYPE_CHECKING:
    from crossgate.app.gateway import AdminOptions
    from crossgate.net.address import Address, HostPort
    from crossgate.store import StoreLocation

_OFF = "off"


def run(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="The document that declares the gateway, as its only source; without it, a store is.",
            show_default=False,
        ),
    ] = None,
    *,
    data: DataDirectory = None,
    database: DatabaseUrl = "",
    listen: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="With a store: where the gateway listens from now on.",
            show_default="where it did; 127.0.0.1:8080 at first",
        ),
    ] = "",
    admin: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where the admin API listens; `off` for nowhere.",
            show_default="127.0.0.1:8090",
        ),
    ] = "",
    admin_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A name, beside localhost, under which the admin API is reached; may be repeated.",
            show_default=False,
        ),
    ] = None,
    admin_in_clear_text: Annotated[
        bool,
        typer.Option(
            "--admin-in-clear-text", help="Let other machines reach the admin API, tokens in clear text."
        ),
    ] = False,
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
    """Start the gateway, say what is served where, and follow the file or the store.

    A change is enforced without a restart; a bad one is refused, and what was there goes on serving. The
    first start with a new store prints a token for the admin API, once. Ends on Ctrl-C or SIGTERM, after the
    requests it has begun.
    """
    # Loading makes thousands of objects and no garbage; `run_gateway` has it collected once it has started.
    gc.disable()
    from crossgate.dataplane.binary import start_finding_envoy

    # Envoy takes its time to say its version; meanwhile the rest is loaded.
    found = start_finding_envoy() if envoy else None
    from crossgate.app.gateway import Options, run_gateway
    from crossgate.cli.output.events import EventPrinter
    from crossgate.cli.process import log_to_stderr, until_stopped

    source = _source(file, data, database)
    _refuse_with_file(file, {"--listen": listen})
    log_to_stderr()
    options = Options(
        source,
        found,
        _control_plane(xds),
        concurrency or None,
        _admin(file, admin, admin_host or [], in_clear_text=admin_in_clear_text),
        _listen(listen),
    )
    printer = EventPrinter(str(source))
    until_stopped(lambda stop: run_gateway(options, printer.emit, stop))


def _source(file: Path | None, data: Path | None, database: str) -> Path | StoreLocation:
    from crossgate.cli.stores import store_location

    if file is None:
        return store_location(data, database)
    # An URL in the environment is for the runs that have no file.
    _refuse_with_file(file, {"--data": data})
    return file


def _refuse_with_file(file: Path | None, options: dict[str, object]) -> None:
    if file is None:
        return
    for name, value in options.items():
        if value:
            remedy = f"Leave out the file to run from a store, or leave out {name}"
            message = f"{name} is for a gateway with a store; the file is this one's only source"
            raise InvalidInput([Diagnostic("option-conflict", message, remedy, found=str(value))])


def _control_plane(text: str) -> Address | None:
    from crossgate.net.address import parse_control_plane_address

    address = parse_control_plane_address(text) if text else None
    if isinstance(address, Diagnostic):
        raise InvalidInput([address])
    return address


def _listen(text: str) -> HostPort | None:
    from crossgate.net.address import parse_listen_address

    address = parse_listen_address(text) if text else None
    if isinstance(address, Diagnostic):
        raise InvalidInput([address])
    return address


def _admin(file: Path | None, text: str, names: list[str], *, in_clear_text: bool) -> AdminOptions | None:
    from crossgate.app.admin_listener import DEFAULT
    from crossgate.app.gateway import AdminOptions
    from crossgate.net.address import parse_admin_address

    if text == _OFF:
        return None
    address = parse_admin_address(text or DEFAULT, in_clear_text=in_clear_text)
    if isinstance(address, Diagnostic):
        raise InvalidInput([address])
    # A store cannot be changed without the API; a gateway with a file is complete without it.
    return AdminOptions(address, tuple(names), required=file is None or bool(text))
