"""Where an Envoy is between its first start and its end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing was asked for yet."""


@dataclass(frozen=True, slots=True)
class Starting:
    """A process is being made, or is there and not ready."""

    since: float
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Serving:
    """Ready since then."""

    since: float
    pid: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """No process until then."""

    until: float


@dataclass(frozen=True, slots=True)
class Draining:
    """Requests may end until then."""

    until: float


@dataclass(frozen=True, slots=True)
class Terminating:
    """Told to end; killed then."""

    until: float


@dataclass(frozen=True, slots=True)
class Stopped:
    """The end."""


State = Idle | Starting | Serving | Waiting | Draining | Terminating | Stopped
