"""Says what a running gateway announces: tables and colour on a terminal, plain lines in a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final, assert_never

from crossgate.app.events import (
    AdminListening,
    AdminUnavailable,
    ChangeEnforced,
    ChangePending,
    ChangeRefused,
    Event,
    GatewayServing,
    LintReported,
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

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_MOST_LINES: Final = 40
"""Of a list of things that there may be thousands of."""

_MOST_ERRORS: Final = 10
"""Of the linter's errors: `check` shows the others."""


class EventPrinter:
    """Prints to standard output, which it flushes, so that a log shows each line when it happens."""

    def __init__(self, source: str | None = None) -> None:
        """``source`` is the file or the store that is followed."""
        self._source = source

    def emit(self, event: Event) -> None:
        """Print one event."""
        match event:
            case GatewayServing():
                self._serving(event)
            case ChangeEnforced():
                self._say("green", str(event))
            case AdminListening():
                self._admin_listens(event)
            case ChangeRefused() | ResourcesRejected() | AdminUnavailable():
                self._say("red", str(event))
                for diagnostic in event.diagnostics:
                    self._say("", f"  {printable(str(diagnostic))}")
            case ChangePending():
                self._say("yellow", str(event))
            case ServicesUnreachable():
                self._say("yellow", str(event))
                for diagnostic in event.diagnostics[:_MOST_LINES]:
                    self._say("", f"  {printable(str(diagnostic))}")
                self._say_rest(len(event.diagnostics))
            case LintReported():
                self._linted(event)
            case NodeChanged(change):
                self._node_changed(change)
            case _ as never:
                assert_never(never)

    @cached_property
    def _console(self) -> Console:
        # Made, and rich loaded, when there is something to say: clients need not wait for it.
        return stdout()

    def _admin_listens(self, admin: AdminListening) -> None:
        self._say("dim", str(admin))
        if admin.first_token is not None:
            lasts = "shown this once" if admin.kept else "until the gateway ends"
            self._say("bold", f"Token for it, role admin, {lasts}: {admin.first_token}")

    def _linted(self, linted: LintReported) -> None:
        self._say("bold red" if linted.errors else "dim", str(linted))
        for diagnostic in linted.errors[:_MOST_ERRORS]:
            self._say("", f"  {printable(str(diagnostic))}")
        if len(linted.errors) > _MOST_ERRORS:
            self._say("dim", f"  and {len(linted.errors) - _MOST_ERRORS:,} more errors")

    def _say(self, style: str, text: str) -> None:
        self._console.print(text, style=style or None)
        self._console.file.flush()

    def _say_rest(self, lines: int) -> None:
        if lines > _MOST_LINES:
            self._say("dim", f"  and {lines - _MOST_LINES:,} more")

    def _node_changed(self, change: LifecycleEvent) -> None:
        match change:
            case EnvoyStarted() | EnvoyStopped():
                pass
            case EnvoyReady() | EnvoyDraining():
                self._say("dim", str(change))
            case _:
                self._say("yellow", str(change))

    def _serving(self, serving: GatewayServing) -> None:
        rows = list(islice(_rows(serving.catalogue), _MOST_LINES))
        if self._console.is_terminal:
            self._console.print(_table(rows))
        else:
            for row in rows:
                self._say("", " ".join(row))
        self._say_rest(sum(len(api.endpoints) for api in serving.catalogue.apis.values()))
        self._say("dim", f"Nodes find the control plane at {serving.control_plane}")
        self._say("bold green", f"{serving}; following {self._source}, Ctrl-C ends it")


def _table(rows: list[tuple[str, ...]]) -> Table:
    from rich.table import Table

    table = Table("API", "type", "served at", "native service", "CORS", box=None, header_style="bold")
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
