"""Logs the events of a running gateway or node: a line with fields for each, and one for each diagnostic.

Loads nothing: the first events come while a store is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, assert_never

from crossgate.app.events import (
    AdminListening,
    AdminUnavailable,
    CertificateReported,
    ChangeEnforced,
    ChangePending,
    ChangeRefused,
    ConnectionsSteered,
    ConsoleLinked,
    Event,
    GatewayServing,
    HealthListening,
    HealthUnavailable,
    LintReported,
    NativesForbidden,
    NodeChanged,
    NodeServing,
    ResourcesRejected,
    Restarting,
    RestartRefused,
    ServicesUnreachable,
    StartFailed,
    SteeringUnavailable,
)
from crossgate.catalogue.model import Api, Catalogue
from crossgate.dataplane.lifecycle_events import (
    EnvoyDraining,
    EnvoyDrainTimedOut,
    EnvoyExited,
    EnvoyNotReady,
    EnvoyReady,
    EnvoyRestarting,
    EnvoyStarted,
    EnvoyStopped,
    LifecycleEvent,
)
from crossgate.diagnostics import Diagnostic
from crossgate.service.log import Log, LogLevel

_MAX_LINES: Final = 40
"""Of lists that may have thousands of entries."""
_MAX_ERRORS: Final = 1000
"""Of a document that is refused."""
_MAX_LINT_ERRORS: Final = 10
"""`crossgate check` shows the others."""

_WITH_DIAGNOSTICS: Final[Mapping[type, tuple[LogLevel, str, int]]] = {
    ChangeRefused: (LogLevel.ERROR, "change-refused", _MAX_ERRORS),
    StartFailed: (LogLevel.ERROR, "start-failed", _MAX_ERRORS),
    AdminUnavailable: (LogLevel.ERROR, "admin-unavailable", _MAX_ERRORS),
    HealthUnavailable: (LogLevel.WARNING, "health-unavailable", _MAX_ERRORS),
    ServicesUnreachable: (LogLevel.WARNING, "natives-unreachable", _MAX_LINES),
    NativesForbidden: (LogLevel.WARNING, "natives-forbidden", _MAX_LINES),
}
"""Level, name and how many diagnostics are logged."""

Fields = Mapping[str, object]


class EventLog:
    """Logs events. Never blocks."""

    def __init__(self, source: str = "") -> None:
        """``source`` is the file or the store that is followed; empty for a node."""
        self._source = source
        self._log = Log("gateway" if source else "node")

    def emit(self, event: Event) -> None:
        """Log one event."""
        match event:
            case GatewayServing():
                self._serving(event)
            case AdminListening():
                self._admin_listening(event)
            case ConsoleLinked(url):
                self._line(LogLevel.INFO, "console-link", event, {"url": url})
            case ChangeEnforced(resources, milliseconds, revision):
                took = {"resources": resources, "milliseconds": round(milliseconds, 3)}
                self._line(LogLevel.INFO, "change-enforced", event, {"revision": revision, **took})
            case ChangePending(seconds, revision):
                waited = {"revision": revision, "seconds": seconds}
                self._line(LogLevel.WARNING, "change-pending", event, waited)
            case ResourcesRejected():
                by = {"revision": event.revision, "nodes": event.nodes}
                self._line(LogLevel.ERROR, "resources-rejected", event, by)
                self._diagnostics("resources-rejected", event.diagnostics, _MAX_ERRORS)
            case HealthListening(url):
                self._line(LogLevel.INFO, "health-listening", event, {"url": url})
            case (
                ChangeRefused()
                | StartFailed()
                | AdminUnavailable()
                | HealthUnavailable()
                | ServicesUnreachable()
                | NativesForbidden()
            ):
                level, name, most = _WITH_DIAGNOSTICS[type(event)]
                self._line(level, name, event, {"count": len(event.diagnostics)})
                self._diagnostics(name, event.diagnostics, most)
            case CertificateReported() | LintReported():
                self._reported(event)
            case NodeChanged() | NodeServing():
                self._node_changed(event)
            case Restarting() | RestartRefused() | ConnectionsSteered() | SteeringUnavailable():
                self._restart(event)
            case _ as never:
                assert_never(never)

    def _restart(self, event: Restarting | RestartRefused | ConnectionsSteered | SteeringUnavailable) -> None:
        match event:
            case Restarting():
                self._line(LogLevel.INFO, "restarting", event)
            case RestartRefused(reasons):
                self._line(LogLevel.ERROR, "restart-refused", event, {"reasons": reasons})
                for reason in reasons:
                    self._write(LogLevel.ERROR, reason, {"event": "restart-refused"}, f"  {reason}")
            case ConnectionsSteered(pid):
                self._line(LogLevel.INFO, "connections-steered", event, {"pid": pid})
            case SteeringUnavailable(reason):
                self._line(LogLevel.WARNING, "steering-unavailable", event, {"reason": reason})

    def _serving(self, event: GatewayServing) -> None:
        catalogue = event.catalogue
        rows = list(islice(_rows(catalogue), _MAX_LINES))
        widths = [max(map(len, column)) for column in zip(*(row.values() for row in rows), strict=True)]
        for row in rows:
            message = f"{row['api']} at {row['url']} forwards to {row['native']}, CORS {row['cors']}"
            columns = (cell.ljust(width) for cell, width in zip(row.values(), widths, strict=True))
            self._write(LogLevel.INFO, message, {"event": "api-served", **row}, "  ".join(columns).rstrip())
        self._omitted("api-served", sum(len(api.endpoints) for api in catalogue.apis.values()), _MAX_LINES)
        self._write(
            LogLevel.INFO,
            f"Control plane for nodes: {event.control_plane}",
            {"event": "control-plane-listening", "address": str(event.control_plane)},
        )
        message = f"{event} from {self._source}"
        fields = {"event": "gateway-serving", "apis": len(catalogue.apis), "source": self._source}
        fields |= {"revision": event.revision, "address": _address(catalogue)}
        self._write(LogLevel.INFO, message, fields, f"{message}; press Ctrl-C to stop")

    def _admin_listening(self, event: AdminListening) -> None:
        self._line(LogLevel.INFO, "admin-listening", event, {"url": event.url})
        if event.first_token is not None:
            message = f"Token with role admin, in a file for this user only: {event.first_token}"
            fields = {"event": "first-token", "file": str(event.first_token)}
            self._write(LogLevel.INFO, message, fields)

    def _reported(self, event: CertificateReported | LintReported) -> None:
        if isinstance(event, LintReported):
            self._lint_reported(event)
        else:
            self._certificate_reported(event)

    def _certificate_reported(self, event: CertificateReported) -> None:
        state = event.state
        expired = any(one.code == "tls-certificate-expired" for one in event.diagnostics)
        level = LogLevel.WARNING if event.diagnostics else LogLevel.INFO
        if expired or not state.current:
            level = LogLevel.ERROR
        fields = {"certificate": state.certificate, "names": state.names, "since": state.since.isoformat()}
        if state.not_after is not None:
            fields["not_after"] = state.not_after.isoformat()
        name = "certificate-renewed" if event.renewed and not event.diagnostics else "certificate"
        self._line(level, name, event, fields)
        self._diagnostics(name, event.diagnostics, _MAX_LINES)

    def _lint_reported(self, event: LintReported) -> None:
        levels = map(_level, event.diagnostics)
        worst = max(levels, key=lambda level: level.number, default=LogLevel.INFO)
        fields = {"errors": len(event.errors), "findings": len(event.diagnostics)}
        self._line(worst, "lint-reported", event, fields)
        self._diagnostics("lint-reported", event.errors, _MAX_LINT_ERRORS)

    def _node_changed(self, event: NodeChanged | NodeServing) -> None:
        if isinstance(event, NodeServing):
            self._line(LogLevel.INFO, "node-serving", event, {"node": event.node})
            return
        level, name, fields = _lifecycle(event.change)
        # Without the tail of Envoy's log: those lines were logged when they came.
        message = str(event.change).partition("\n")[0]
        self._write(level, message, {"event": name, "node": event.node, **fields})

    def _diagnostics(self, name: str, diagnostics: Sequence[Diagnostic], most: int) -> None:
        for one in diagnostics[:most]:
            fields = {"event": name, **diagnostic_fields(one)}
            self._write(_level(one), str(one), fields, f"  {one}")
        self._omitted(name, len(diagnostics), most)

    def _omitted(self, name: str, count: int, most: int) -> None:
        if count > most:
            message = f"and {count - most:,} more"
            self._write(LogLevel.INFO, message, {"event": name, "omitted": count - most}, f"  {message}")

    def _line(self, level: LogLevel, name: str, event: object, fields: Fields | None = None) -> None:
        self._write(level, str(event), {"event": name, **(fields or {})})

    def _write(self, level: LogLevel, message: str, fields: Fields, text: str | None = None) -> None:
        self._log.log(level, message, fields, message if text is None else text)


def diagnostic_fields(one: Diagnostic) -> dict[str, object]:
    """The diagnostic as fields of a line; those that say nothing are left out."""
    values = one.as_json() | {"problem": one.message}
    dropped = {"severity", "message"} if one.place.path else {"severity", "message", "path"}
    return {name: value for name, value in values.items() if value is not None and name not in dropped}


def _level(one: Diagnostic) -> LogLevel:
    return LogLevel(one.severity.value)


def _lifecycle(change: LifecycleEvent) -> tuple[LogLevel, str, dict[str, object]]:
    """Level, name and fields."""
    match change:
        case EnvoyStarted(pid):
            return LogLevel.DEBUG, "envoy-started", {"pid": pid}
        case EnvoyReady(pid, seconds):
            return LogLevel.INFO, "envoy-ready", {"pid": pid, "seconds": round(seconds, 3)}
        case EnvoyNotReady(pid, seconds, log_tail):
            timed = {"pid": pid, "seconds": round(seconds, 3)}
            return LogLevel.WARNING, "envoy-not-ready", {**timed, "envoy_log": log_tail}
        case EnvoyExited(reason, log_tail):
            return LogLevel.WARNING, "envoy-exited", {"reason": reason, "envoy_log": log_tail}
        case EnvoyRestarting(seconds, failures):
            return LogLevel.WARNING, "envoy-restarting", {"seconds": seconds, "failures": failures}
        case EnvoyDraining(seconds):
            return LogLevel.INFO, "envoy-draining", {"seconds": seconds}
        case EnvoyDrainTimedOut(seconds):
            return LogLevel.WARNING, "envoy-drain-timed-out", {"seconds": seconds}
        case EnvoyStopped():
            return LogLevel.DEBUG, "envoy-stopped", {}


def _address(catalogue: Catalogue) -> str:
    return f"{'https' if catalogue.gateway.tls else 'http'}://{catalogue.gateway.listen}"


def _rows(catalogue: Catalogue) -> Iterator[dict[str, str]]:
    base = _address(catalogue)
    for api in catalogue.apis.values():
        for endpoint in api.endpoints:
            yield {
                "api": api.key,
                "type": api.type.value,
                "url": f"{base}{endpoint}",
                "native": str(api.native),
                "cors": _cors(catalogue, api),
            }


def _cors(catalogue: Catalogue, api: Api) -> str:
    if catalogue.server_policy is not None:
        return "server-level"
    return api.cors.mode.value if api.cors is not None else "pass-through"
