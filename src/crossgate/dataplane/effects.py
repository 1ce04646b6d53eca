"""What the supervisor wants done. The shell does it, and decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from signal import Signals

from crossgate.dataplane.changes import Change


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start Envoy; the answer is ``Spawned`` or ``SpawnFailed``, and later ``Exited``."""


@dataclass(frozen=True, slots=True)
class AwaitReady:
    """Ask Envoy again and again until it says that it serves; the answer is ``AnsweredReady``."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Have Envoy accept no connection and wait until it answers no request; the answer is ``Drained``."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send the process a signal."""

    signal: Signals


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Give a ``Tick`` at this time, on the clock that events are stamped with; it replaces the one before."""

    time: float


@dataclass(frozen=True, slots=True)
class Report:
    """Tell whoever runs Envoy."""

    change: Change


Effect = Spawn | AwaitReady | Drain | Send | WakeAt | Report
