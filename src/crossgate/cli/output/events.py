"""Prints the events of a running gateway: a table and colours in a terminal, plain lines in a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, assert_never

from rich.table import Table

from crossgate.app.events import (
    AdminListening,
    AdminUnavailable,
    ChangeEnforced,
    ChangePending,
    ChangeRefused,
    Event,
    GatewayServing,
    LintReported,
    NativesForbidden,
    NodeChanged,
    ResourcesRejected,
    ServicesUnreachable,
)
from crossgate.catalogue.model import Api, Catalogue
from crossgate.cli.output.console import printable, stdout
from crossgate.dataplane.lifecycle_events import (
    EnvoyDraining,
    EnvoyReady,
    EnvoyStarted,
    EnvoyStopped,
    LifecycleEvent,
)
from crossgate.diagnostics import Diagnostic

_MAX_LINES: Final = 40
"""Of lists that may have thousands of entries."""
_MAX_LINT_ERRORS: Final = 10
"""`crossgate check` shows the others."""


class EventPrinter:
    """Prints to standard output and flushes it, so that a log shows each line when it happens."""

    def __init__(self, source: str) -> None:
        """``source`` is the file or the store that is followed; empty for a node."""
        self._source = source
        self._console = stdout()

    def emit(self, event: Event) -> None:
        """Print one event."""
        match event:
            case GatewayServing():
                self._serving(event)
            case ChangeEnforced():
                self._print("green", str(event))
            case AdminListening():
                self._admin_listening(event)
            case ChangeRefused() | ResourcesRejected() | AdminUnavailable():
                self._print("red", str(event))
                self._print_diagnostics(event.diagnostics)
            case ChangePending():
                self._print("yellow", str(event))
            case ServicesUnreachable() | NativesForbidden():
                self._print("yellow", str(event))
                self._print_diagnostics(event.diagnostics[:_MAX_LINES])
                self._print_omitted(len(event.diagnostics))
            case LintReported():
                self._lint_reported(event)
            case NodeChanged(change):
                self._node_changed(change)
            case _ as never:
                assert_never(never)

    def _admin_listening(self, event: AdminListening) -> None:
        self._print("dim", str(event))
        if event.first_token is not None:
            self._print("bold", f"Token with role admin, in a file for this user only: {event.first_token}")

    def _lint_reported(self, event: LintReported) -> None:
        errors = event.errors
        self._print("bold red" if errors else "dim", str(event))
        self._print_diagnostics(errors[:_MAX_LINT_ERRORS])
        if len(errors) > _MAX_LINT_ERRORS:
            self._print("dim", f"  and {len(errors) - _MAX_LINT_ERRORS:,} more errors")

    def _node_changed(self, change: LifecycleEvent) -> None:
        match change:
            case EnvoyStarted() | EnvoyStopped():
                pass
            case EnvoyReady() | EnvoyDraining():
                self._print("dim", str(change))
            case _:
                self._print("yellow", str(change))

    def _serving(self, event: GatewayServing) -> None:
        rows = list(islice(_rows(event.catalogue), _MAX_LINES))
        if self._console.is_terminal:
            self._console.print(_table(rows))
        else:
            for row in rows:
                self._print("", " ".join(row))
        self._print_omitted(sum(len(api.endpoints) for api in event.catalogue.apis.values()))
        self._print("dim", f"Control plane for nodes: {event.control_plane}")
        self._print("bold green", f"{event} from {self._source}; press Ctrl-C to stop")

    def _print(self, style: str, line: str) -> None:
        self._console.print(line, style=style or None)
        self._console.file.flush()

    def _print_diagnostics(self, diagnostics: Sequence[Diagnostic]) -> None:
        for diagnostic in diagnostics:
            self._print("", f"  {printable(str(diagnostic))}")

    def _print_omitted(self, lines: int) -> None:
        if lines > _MAX_LINES:
            self._print("dim", f"  and {lines - _MAX_LINES:,} more")


def _table(rows: Sequence[Sequence[str]]) -> Table:
    table = Table("API", "type", "URL", "native service", "CORS", box=None, header_style="bold")
    for row in rows:
        table.add_row(*row)
    return table


def _rows(catalogue: Catalogue) -> Iterator[tuple[str, ...]]:
    gateway = catalogue.gateway
    base = f"{'https' if gateway.tls else 'http'}://{gateway.listen}"
    for api in catalogue.apis.values():
        for endpoint in api.endpoints:
            yield api.key, api.type.value, f"{base}{endpoint}", str(api.native), _cors(catalogue, api)


def _cors(catalogue: Catalogue, api: Api) -> str:
    if catalogue.server_policy is not None:
        return "server-level"
    return api.cors.mode.value if api.cors is not None else "pass-through"
