"""What a running gateway tells the person who started it. Each says itself in words; see ``__str__``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crossgate.catalogue.model import Catalogue
from crossgate.dataplane.lifecycle_events import LifecycleEvent
from crossgate.diagnostics import Diagnostic, Severity
from crossgate.net.address import Address


@dataclass(frozen=True, slots=True)
class GatewayServing:
    """Everything runs; nodes find the control plane at ``control_plane``."""

    catalogue: Catalogue
    control_plane: Address

    def __str__(self) -> str:
        return f"Crossgate serves {len(self.catalogue.apis)} APIs"


@dataclass(frozen=True, slots=True)
class ChangeEnforced:
    """A change of the file is in force on every node, ``milliseconds`` after it was noticed."""

    resources: int
    milliseconds: float

    def __str__(self) -> str:
        what = "resource" if self.resources == 1 else "resources"
        return f"The change is enforced: {self.resources} {what}, {self.milliseconds:.1f} ms after the save"


@dataclass(frozen=True, slots=True)
class ChangeRefused:
    """The file has errors; what was there before goes on serving."""

    diagnostics: tuple[Diagnostic, ...]

    def __str__(self) -> str:
        return "The change is refused, the last good configuration goes on serving"


@dataclass(frozen=True, slots=True)
class ResourcesRejected:
    """A node refused a resource; all others are in force."""

    diagnostics: tuple[Diagnostic, ...]

    def __str__(self) -> str:
        return "A node rejected a part of the configuration; everything else is enforced"


@dataclass(frozen=True, slots=True)
class ChangePending:
    """A node has neither taken nor rejected the change within ``seconds``; it may still do so."""

    seconds: float

    def __str__(self) -> str:
        return f"The change is published, but a node has not acknowledged it after {self.seconds:.0f} s"


@dataclass(frozen=True, slots=True)
class ServicesUnreachable:
    """Native services that take no connection; the gateway serves all the same."""

    diagnostics: tuple[Diagnostic, ...]

    def __str__(self) -> str:
        what = "native service" if len(self.diagnostics) == 1 else "native services"
        return f"{len(self.diagnostics)} {what} can't be reached"


@dataclass(frozen=True, slots=True)
class LintReported:
    """What the linter says of the file, which is served all the same: all of it, not only the news."""

    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The worst of it."""
        return tuple(found for found in self.diagnostics if found.severity is Severity.ERROR)

    def __str__(self) -> str:
        if not self.diagnostics:
            return "The linter has nothing more to say"
        counts = [
            f"{count} of severity {severity.value}"
            for severity in Severity
            if (count := sum(found.severity is severity for found in self.diagnostics))
        ]
        return f"The linter finds {', '.join(counts)}; crossgate check shows them all"


@dataclass(frozen=True, slots=True)
class NodeChanged:
    """Something happened to this machine's Envoy."""

    change: LifecycleEvent

    def __str__(self) -> str:
        return str(self.change)


@dataclass(frozen=True, slots=True)
class AdminListening:
    """The admin API is at ``url``; ``first_token`` is a secret that is told this once, if it is new."""

    url: str
    first_token: str | None
    kept: bool
    """Whether the token lasts longer than the process."""

    def __str__(self) -> str:
        return f"The admin API listens at {self.url}"


@dataclass(frozen=True, slots=True)
class AdminUnavailable:
    """The gateway runs without an admin API."""

    diagnostics: tuple[Diagnostic, ...]

    def __str__(self) -> str:
        return "There is no admin API"


Event = (
    AdminListening
    | AdminUnavailable
    | GatewayServing
    | ChangeEnforced
    | ChangeRefused
    | ResourcesRejected
    | ChangePending
    | ServicesUnreachable
    | LintReported
    | NodeChanged
)
Emit = Callable[[Event], None]
"""Told of each event as it happens; must not block."""
