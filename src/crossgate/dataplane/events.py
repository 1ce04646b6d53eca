"""What the supervisor is told: by the process, by its admin interface, by the clock, and by us."""

from __future__ import annotations

from dataclasses import dataclass

from crossgate.dataplane.log import LogLine


@dataclass(frozen=True, slots=True)
class Begin:
    """Envoy is wanted."""


@dataclass(frozen=True, slots=True)
class Spawned:
    """The process exists."""

    pid: int


@dataclass(frozen=True, slots=True)
class SpawnFailed:
    """The operating system gave no process."""

    reason: str


@dataclass(frozen=True, slots=True)
class Printed:
    """Envoy wrote a line."""

    line: LogLine


@dataclass(frozen=True, slots=True)
class AnsweredReady:
    """Envoy said that it serves."""


@dataclass(frozen=True, slots=True)
class Drained:
    """No client's request is being answered any more."""


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended with ``status``; a negative one is minus the signal that ended it."""

    status: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed."""


@dataclass(frozen=True, slots=True)
class StopWanted:
    """Envoy is to end: after the requests it has begun, or without waiting for them."""

    drain: bool = True


Event = Begin | Spawned | SpawnFailed | Printed | AnsweredReady | Drained | Exited | Tick | StopWanted
