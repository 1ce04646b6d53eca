"""When Envoy is started, polled, drained, stopped and restarted: a state machine without process or clock.

``Idle → Starting → Serving → Draining → Terminating → Stopped``. An Envoy that exits without a stop request
goes through ``Waiting`` back to ``Starting``, without limit: a gateway never gives up on serving.
"""

from __future__ import annotations

from dataclasses import dataclass
from signal import SIGKILL, SIGTERM, Signals
from typing import assert_never

from crossgate.dataplane.lifecycle_events import (
    Drained,
    EnvoyDraining,
    EnvoyDrainTimedOut,
    EnvoyExited,
    EnvoyNotReady,
    EnvoyReady,
    EnvoyRestarting,
    EnvoyStarted,
    EnvoyStopped,
    Exited,
    Input,
    LifecycleEvent,
    LineLogged,
    ReadyAnswered,
    Spawned,
    SpawnFailed,
    StartRequested,
    StopRequested,
    Tick,
)
from crossgate.dataplane.log import LogTail


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the supervisor waits, in seconds."""

    drain: float = 30.0
    """For requests in progress, before Envoy gets SIGTERM."""
    terminate: float = 5.0
    """For Envoy to exit after SIGTERM, before SIGKILL."""
    ready: float = 10.0
    """For Envoy to be ready, before `EnvoyNotReady` is reported."""
    stable: float = 10.0
    """Of serving, after which earlier failures no longer count."""
    first_restart: float = 0.1
    longest_restart: float = 30.0

    def before_restart(self, failures: int) -> float:
        """The pause after ``failures`` in a row: it doubles up to ``longest_restart``."""
        # The exponent is bounded: 2.0 ** 2000 is an error, and a gateway may fail for weeks.
        return min(self.longest_restart, self.first_restart * 2.0 ** min(failures - 1, 40))


# States. Times are seconds on the clock of `Supervisor.receive`.


@dataclass(frozen=True, slots=True)
class Idle:
    """Not started yet."""


@dataclass(frozen=True, slots=True)
class Starting:
    """A process is being created, or exists and is not ready."""

    since: float
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Serving:
    """Ready since then."""

    since: float
    pid: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """No process; the next start is then."""

    until: float


@dataclass(frozen=True, slots=True)
class Draining:
    """Requests in progress may finish until then."""

    until: float


@dataclass(frozen=True, slots=True)
class Terminating:
    """SIGTERM is sent; SIGKILL follows then."""

    until: float


@dataclass(frozen=True, slots=True)
class Stopped:
    """The final state."""


State = Idle | Starting | Serving | Waiting | Draining | Terminating | Stopped


# Effects. The shell performs them and decides nothing.


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start Envoy; answered by `Spawned` or `SpawnFailed`, and later by `Exited`."""


@dataclass(frozen=True, slots=True)
class PollReady:
    """Poll the admin interface until Envoy serves; answered by `ReadyAnswered`."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Stop accepting connections and poll until no request is in progress; answered by `Drained`."""


@dataclass(frozen=True, slots=True)
class SendSignal:
    """Send the process a signal."""

    signal: Signals


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Give a `Tick` at ``time``, on the supervisor's clock; it replaces the last one."""

    time: float


@dataclass(frozen=True, slots=True)
class Notify:
    """Report ``event`` to the owner of this Envoy."""

    event: LifecycleEvent


Effect = Spawn | PollReady | Drain | SendSignal | WakeAt | Notify


class Supervisor:
    """Decides on one input at a time; the shell performs the returned effects in their order."""

    def __init__(self, timeouts: Timeouts) -> None:
        self.state: State = Idle()
        self._timeouts = timeouts
        self._failures = 0
        self._log_tail = LogTail()

    def receive(self, event: Input, now: float) -> list[Effect]:
        """The effects of ``event``, which happened at ``now`` (seconds on a monotonic clock).

        An event that is too late for the state, such as a tick for an old deadline, has no effect.
        """
        match event:
            case LineLogged(line):
                self._log_tail.add(line)
                return []
            case StartRequested():
                return self._start(now) if isinstance(self.state, Idle) else []
            case Spawned(pid):
                return self._spawned(pid, now)
            case SpawnFailed(reason):
                return self._exited(f"could not be started: {reason}", now)
            case Exited(status):
                return self._exited(_reason(status), now)
            case ReadyAnswered():
                return self._ready(now)
            case Drained():
                return self._terminate(now) if isinstance(self.state, Draining) else []
            case Tick():
                return self._tick(now)
            case StopRequested(drain):
                return self._stop(now, drain=drain)
            case _:
                assert_never(event)

    def _start(self, now: float) -> list[Effect]:
        self._log_tail = LogTail()
        self.state = Starting(now)
        return [Spawn()]

    def _spawned(self, pid: int, now: float) -> list[Effect]:
        self.state = Starting(now, pid)
        return [Notify(EnvoyStarted(pid)), PollReady(), WakeAt(now + self._timeouts.ready)]

    def _ready(self, now: float) -> list[Effect]:
        if not isinstance(self.state, Starting):
            return []
        ready = EnvoyReady(self.state.pid, now - self.state.since)
        self.state = Serving(now, self.state.pid)
        return [Notify(ready)]

    def _exited(self, reason: str, now: float) -> list[Effect]:
        exited = Notify(EnvoyExited(reason, self._log_tail.lines))
        match self.state:
            case Terminating():
                self.state = Stopped()
                return [Notify(EnvoyStopped())]
            case Draining():
                self.state = Stopped()
                return [exited, Notify(EnvoyStopped())]
            case Serving(since) if now - since >= self._timeouts.stable:
                self._failures = 1
            case Starting() | Serving():
                self._failures += 1
            case Idle() | Waiting() | Stopped():
                raise AssertionError(f"a process exited in a state that has none: {self.state}")
            case _:
                assert_never(self.state)
        pause = self._timeouts.before_restart(self._failures)
        self.state = Waiting(now + pause)
        return [exited, Notify(EnvoyRestarting(pause, self._failures)), WakeAt(now + pause)]

    def _tick(self, now: float) -> list[Effect]:
        match self.state:
            case Starting(since, pid) if now >= since + self._timeouts.ready:
                waited = now - since
                # Each report doubles the time to the next one.
                return [Notify(EnvoyNotReady(pid, waited, self._log_tail.lines)), WakeAt(now + waited)]
            case Waiting(until) if now >= until:
                return self._start(now)
            case Draining(until) if now >= until:
                return [Notify(EnvoyDrainTimedOut(self._timeouts.drain)), *self._terminate(now)]
            case Terminating(until) if now >= until:
                return [SendSignal(SIGKILL)]
            case _:
                return []

    def _stop(self, now: float, *, drain: bool) -> list[Effect]:
        match self.state:
            case Serving() if drain and self._timeouts.drain > 0:
                seconds = self._timeouts.drain
                self.state = Draining(now + seconds)
                return [Notify(EnvoyDraining(seconds)), Drain(), WakeAt(now + seconds)]
            case Draining() if drain:
                return []
            case Starting() | Serving() | Draining():
                return self._terminate(now)
            case Idle() | Waiting():
                self.state = Stopped()
                return [Notify(EnvoyStopped())]
            case Terminating() | Stopped():
                return []
            case _:
                assert_never(self.state)

    def _terminate(self, now: float) -> list[Effect]:
        self.state = Terminating(now + self._timeouts.terminate)
        return [SendSignal(SIGTERM), WakeAt(now + self._timeouts.terminate)]


def _reason(status: int) -> str:
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"was killed by {Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
