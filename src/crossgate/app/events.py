"""Events of a running gateway or node, to print or log. ``str(event)`` is its message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crossgate.catalogue.model import Catalogue
from crossgate.dataplane.lifecycle_events import LifecycleEvent
from crossgate.diagnostics import Diagnostic, Severity, count_by_severity
from crossgate.net.address import Address
from crossgate.service.certificates import CertificateState


@dataclass(frozen=True, slots=True)
class GatewayServing:
    """Clients are served; nodes connect to the control plane at ``control_plane``."""

    catalogue: Catalogue
    control_plane: Address
    revision: int

    def __str__(self) -> str:
        return f"Crossgate serves {len(self.catalogue.apis)} APIs"


@dataclass(frozen=True, slots=True)
class ChangeEnforced:
    """Every node enforces a change, ``milliseconds`` after the control plane noticed it."""

    resources: int
    milliseconds: float
    revision: int

    def __str__(self) -> str:
        what = "resource" if self.resources == 1 else "resources"
        return f"Change enforced: {self.resources} {what}, {self.milliseconds:.1f} ms after the save"


@dataclass(frozen=True, slots=True)
class ChangeRefused:
    """The saved document has errors; the configuration before it stays in force."""

    diagnostics: tuple[Diagnostic, ...]

    def __str__(self) -> str:
        return "Change refused: the last valid configuration stays in force"


@dataclass(frozen=True, slots=True)
class ResourcesRejected:
    """A node rejected resources; it enforces all others."""

    diagnostics: tuple[Diagnostic, ...]
    revision: int
    nodes: tuple[str, ...]
    """Those that rejected something."""

    def __str__(self) -> str:
        return "A node rejected part of the configuration; everything else is enforced"


@dataclass(frozen=True, slots=True)
class ChangePending:
    """A node has neither applied nor rejected a published change within ``seconds``; it still may."""

    seconds: float
    revision: int

    def __str__(self) -> str:
        return f"Change pending: a node has not acknowledged it after {self.seconds:.0f} s"


@dataclass(frozen=True, slots=True)
class ServicesUnreachable:
    """Native services that accept no connection; their APIs answer 503."""

    diagnostics: tuple[Diagnostic, ...]

    def __str__(self) -> str:
        count = len(self.diagnostics)
        return f"{count} native service{' is' if count == 1 else 's are'} unreachable"


@dataclass(frozen=True, slots=True)
class NativesForbidden:
    """Native services whose address would be refused in a new API; they are served as before."""

    diagnostics: tuple[Diagnostic, ...]

    def __str__(self) -> str:
        count = len(self.diagnostics)
        return (
            f"{count} native service{' has' if count == 1 else 's have'} an address that changes may not use"
        )


@dataclass(frozen=True, slots=True)
class CertificateReported:
    """A certificate was renewed, or something is wrong with it, or no longer."""

    state: CertificateState
    renewed: bool
    diagnostics: tuple[Diagnostic, ...]

    def __str__(self) -> str:
        state = self.state
        path = state.certificate
        until = f"valid until {state.not_after:%Y-%m-%d %H:%M} UTC" if state.not_after else ""
        if not state.current:
            then = f"Envoy keeps the last good one, {until}" if until else "connections that need it fail"
            return f"Certificate unusable: {path}; {then}"
        if self.diagnostics:
            return f"Certificate in use needs attention: {path}, {until}"
        return f"Certificate {'renewed' if self.renewed else 'usable again'}: {path}, {until}"


@dataclass(frozen=True, slots=True)
class LintReported:
    """All lint findings for the served document, which no finding keeps from being served."""

    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The findings of severity ``error``."""
        return tuple(found for found in self.diagnostics if found.severity is Severity.ERROR)

    def __str__(self) -> str:
        if not self.diagnostics:
            return "No more lint findings"
        return f"Lint findings: {count_by_severity(self.diagnostics)}; run `crossgate check` to see all"


@dataclass(frozen=True, slots=True)
class NodeChanged:
    """The Envoy on this machine changed its state."""

    change: LifecycleEvent
    node: str

    def __str__(self) -> str:
        return str(self.change)


@dataclass(frozen=True, slots=True)
class AdminListening:
    """The admin API listens at ``url``."""

    url: str
    first_token: Path | None
    """The file with the secret of a token that this start created."""

    def __str__(self) -> str:
        return f"The admin API listens at {self.url}"


@dataclass(frozen=True, slots=True)
class ConsoleLinked:
    """A link that signs in to the console as an admin, once and within 10 minutes."""

    url: str

    def __str__(self) -> str:
        return f"Console: {self.url}"


@dataclass(frozen=True, slots=True)
class AdminUnavailable:
    """The gateway runs without the admin API, which cannot listen."""

    diagnostics: tuple[Diagnostic, ...]

    def __str__(self) -> str:
        return "The admin API is not available"


@dataclass(frozen=True, slots=True)
class HealthListening:
    """Health checks are answered at ``url``."""

    url: str

    def __str__(self) -> str:
        return f"Health checks are answered at {self.url}"


@dataclass(frozen=True, slots=True)
class HealthUnavailable:
    """The process runs without health checks, whose address cannot be used."""

    diagnostics: tuple[Diagnostic, ...]

    def __str__(self) -> str:
        return "Health checks are not answered"


@dataclass(frozen=True, slots=True)
class NodeServing:
    """A node listens for clients, at the address that its control plane sent."""

    node: str

    def __str__(self) -> str:
        return f"Node {self.node} serves clients"


@dataclass(frozen=True, slots=True)
class Restarting:
    """The next program takes over in this process."""

    def __str__(self) -> str:
        return "Restarting: clients are served meanwhile"


@dataclass(frozen=True, slots=True)
class RestartRefused:
    """A restart would fail, as a start on trial did. Nothing changed."""

    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return "Restart refused: the new start would fail; everything goes on as before"


@dataclass(frozen=True, slots=True)
class StartFailed:
    """A start failed, while the old Envoy serves."""

    diagnostics: tuple[Diagnostic, ...]

    def __str__(self) -> str:
        return "Start failed: the old Envoy goes on serving; correct the cause, then send SIGHUP again"


@dataclass(frozen=True, slots=True)
class ConnectionsSteered:
    """New connections go to the new Envoy; the old one finishes its requests."""

    pid: int

    def __str__(self) -> str:
        return f"New connections go to the new Envoy (pid {self.pid})"


@dataclass(frozen=True, slots=True)
class SteeringUnavailable:
    """New connections cannot be steered to the new Envoy, so the old one closes its sockets at once."""

    reason: str

    def __str__(self) -> str:
        return (
            "The system does not permit steering of new connections: some that the old Envoy has not accepted"
            " yet are reset; to avoid that, run sysctl net.ipv4.tcp_migrate_req=1"
        )


Event = (
    AdminListening
    | AdminUnavailable
    | ConsoleLinked
    | GatewayServing
    | ChangeEnforced
    | ChangeRefused
    | ResourcesRejected
    | ChangePending
    | ServicesUnreachable
    | NativesForbidden
    | CertificateReported
    | LintReported
    | HealthListening
    | HealthUnavailable
    | NodeChanged
    | NodeServing
    | Restarting
    | RestartRefused
    | StartFailed
    | ConnectionsSteered
    | SteeringUnavailable
)
Emit = Callable[[Event], None]
"""Receives each event as it happens. Must not block: it runs on the control plane's event loop."""
