"""The events in the life of an Envoy: those that the supervisor receives, and those that it reports.

Each reported event has a message for people, ``str(event)``.
"""

from __future__ import annotations

from dataclasses import dataclass

from crossgate.dataplane.log import LogLine


@dataclass(frozen=True, slots=True)
class StartRequested:
    """Input: Envoy shall run."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """Input: the process serves, and was started by the program that ran before in this process."""

    pid: int
    drain_until: float | None = None
    """If it drains already; on the supervisor's clock."""


@dataclass(frozen=True, slots=True)
class Spawned:
    """Input: the process exists."""

    pid: int


@dataclass(frozen=True, slots=True)
class SpawnFailed:
    """Input: the operating system could not create the process."""

    reason: str


@dataclass(frozen=True, slots=True)
class LineLogged:
    """Input: Envoy wrote a line."""

    line: LogLine


@dataclass(frozen=True, slots=True)
class ReadyAnswered:
    """Input: the admin interface answered that Envoy serves."""


@dataclass(frozen=True, slots=True)
class Drained:
    """Input: no request of a client is in progress any more."""


@dataclass(frozen=True, slots=True)
class Flushed:
    """Input: the last statistics had time to arrive at the control plane."""


@dataclass(frozen=True, slots=True)
class Exited:
    """Input: the process ended with ``status``; a negative status is minus the signal that ended it."""

    status: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Input: the time of the last `WakeAt` has come."""


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Input: Envoy shall end; with ``drain``, after the requests in progress."""

    drain: bool = True


Input = (
    StartRequested
    | Inherited
    | Spawned
    | SpawnFailed
    | LineLogged
    | ReadyAnswered
    | Drained
    | Flushed
    | Exited
    | Tick
    | StopRequested
)


@dataclass(frozen=True, slots=True)
class EnvoyStarted:
    """The process exists; it does not serve yet."""

    pid: int

    def __str__(self) -> str:
        return f"Envoy started (pid {self.pid})"


@dataclass(frozen=True, slots=True)
class EnvoyReady:
    """Envoy serves its first configuration, ``seconds`` after its start."""

    pid: int
    seconds: float

    def __str__(self) -> str:
        return f"Envoy is ready (pid {self.pid}, after {self.seconds:.2f} s)"


@dataclass(frozen=True, slots=True)
class EnvoyNotReady:
    """Envoy runs but does not serve yet, usually because its control plane is unreachable."""

    pid: int
    seconds: float
    log_tail: tuple[str, ...]

    def __str__(self) -> str:
        return _with_log(
            f"Envoy is not ready after {self.seconds:.0f} s; check that the control plane is reachable",
            self.log_tail,
        )


@dataclass(frozen=True, slots=True)
class EnvoyExited:
    """Envoy ended although no stop was requested; ``log_tail`` are its last errors."""

    reason: str
    log_tail: tuple[str, ...]

    def __str__(self) -> str:
        return _with_log(f"Envoy {self.reason}", self.log_tail)


@dataclass(frozen=True, slots=True)
class EnvoyRestarting:
    """Envoy will be started again in ``seconds``, after ``failures`` ends in a row."""

    seconds: float
    failures: int

    def __str__(self) -> str:
        return f"Restarting Envoy in {self.seconds:.1f} s (attempt {self.failures + 1})"


@dataclass(frozen=True, slots=True)
class EnvoyDraining:
    """Envoy accepts no new connection; requests in progress may take up to ``seconds``."""

    seconds: float

    def __str__(self) -> str:
        return f"Envoy is draining: requests in progress have up to {self.seconds:.0f} s"


@dataclass(frozen=True, slots=True)
class EnvoyDrainTimedOut:
    """Requests were still in progress after ``seconds`` of draining."""

    seconds: float

    def __str__(self) -> str:
        return f"Envoy still had requests in progress after {self.seconds:.0f} s; they are aborted"


@dataclass(frozen=True, slots=True)
class EnvoyStopped:
    """Envoy ended as requested and is not started again."""

    def __str__(self) -> str:
        return "Envoy stopped"


LifecycleEvent = (
    EnvoyStarted
    | EnvoyReady
    | EnvoyNotReady
    | EnvoyExited
    | EnvoyRestarting
    | EnvoyDraining
    | EnvoyDrainTimedOut
    | EnvoyStopped
)


def _with_log(sentence: str, log_tail: tuple[str, ...]) -> str:
    return sentence + "".join(f"\n  envoy: {line}" for line in log_tail)
