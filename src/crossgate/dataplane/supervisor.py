"""When Envoy is started, polled, drained, stopped and restarted: a state machine without process or clock.

``Idle → Starting → Serving → Draining → Reporting → Terminating → Stopped``. An Envoy that exits without a
stop request goes through ``Waiting`` back to ``Starting``, without limit: a gateway never stops trying.

An inherited Envoy begins in ``Serving``, and ends in ``Stopped``: another one takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
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
    Flushed,
    Inherited,
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
    flush: float = 5.0
    """Between two reports of the statistics to the control plane; 0 for none, not even before the end."""
    last_flush: float = 3.0
    """At most, for the last report to arrive before Envoy gets SIGTERM.

    With 60,000 counters on a busy machine; usually `EnvoyAdmin.flush_and_wait` takes 0.05 s.
    """
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
    flush_at: float
    """When the statistics are to be reported next."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """No process; the next start is then."""

    until: float


@dataclass(frozen=True, slots=True)
class Draining:
    """Requests in progress may finish until then."""

    until: float


@dataclass(frozen=True, slots=True)
class Reporting:
    """The last statistics are on their way to the control plane; SIGTERM follows then, if not before."""

    until: float


@dataclass(frozen=True, slots=True)
class Terminating:
    """SIGTERM is sent; SIGKILL follows then."""

    until: float


@dataclass(frozen=True, slots=True)
class Stopped:
    """The final state."""


State = Idle | Starting | Serving | Waiting | Draining | Reporting | Terminating | Stopped


# Effects. The shell performs them and decides nothing.


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start Envoy; answered by `Spawned` or `SpawnFailed`, and later by `Exited`."""

    incarnation: str
    """The name of the process, by which the control plane tells its counters from those of others."""


@dataclass(frozen=True, slots=True)
class PollReady:
    """Poll the admin interface until Envoy serves; answered by `ReadyAnswered`."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Stop accepting connections and poll until no request is in progress; answered by `Drained`."""

    connections: bool = False
    """Poll until no connection is open, either."""


@dataclass(frozen=True, slots=True)
class FlushStats:
    """Have Envoy report its statistics to the control plane; if ``last``, answered by `Flushed`."""

    last: bool = False


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


Effect = Spawn | PollReady | Drain | FlushStats | SendSignal | WakeAt | Notify


class Supervisor:
    """Decides on one input at a time; the shell performs the returned effects in their order.

    ``name`` is unique among supervisors, also among those of the past: incarnations are named after it, and
    ``number`` of them were. A supervisor that replaces another one has its name, and goes on counting.
    """

    def __init__(self, timeouts: Timeouts, name: str, number: int = 0) -> None:
        self.state: State = Idle()
        self.name = name
        self.number = number
        """How many processes were started under the name."""
        self._inherited = False
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
            case Inherited(pid, drain_until):
                return self._inherit(pid, drain_until, now)
            case Spawned(pid):
                return self._spawned(pid, now)
            case SpawnFailed(reason):
                return self._exited(f"could not be started: {reason}", now)
            case Exited(status):
                return self._exited(_reason(status), now)
            case ReadyAnswered():
                return self._ready(now)
            case Drained():
                return self._report(now) if isinstance(self.state, Draining) else []
            case Flushed():
                return self._terminate(now) if isinstance(self.state, Reporting) else []
            case Tick():
                return self._tick(now)
            case StopRequested(drain):
                return self._stop(now, drain=drain)
            case _:
                assert_never(event)

    def _start(self, now: float) -> list[Effect]:
        self._log_tail = LogTail()
        self.state = Starting(now)
        self.number += 1
        return [Spawn(f"{self.name}.{self.number}")]

    def _inherit(self, pid: int, drain_until: float | None, now: float) -> list[Effect]:
        self._inherited = True
        if drain_until is not None:
            self.state = Draining(drain_until)
            return [Drain(connections=True), WakeAt(drain_until)]
        self.state = Serving(now, pid, now + self._timeouts.flush if self._timeouts.flush else inf)
        return [WakeAt(self.state.flush_at)] if self._timeouts.flush else []

    def _spawned(self, pid: int, now: float) -> list[Effect]:
        self.state = Starting(now, pid)
        return [Notify(EnvoyStarted(pid)), PollReady(), WakeAt(now + self._timeouts.ready)]

    def _ready(self, now: float) -> list[Effect]:
        if not isinstance(self.state, Starting):
            return []
        ready = EnvoyReady(self.state.pid, now - self.state.since)
        if not self._timeouts.flush:
            self.state = Serving(now, self.state.pid, inf)
            return [Notify(ready)]
        self.state = Serving(now, self.state.pid, now + self._timeouts.flush)
        return [Notify(ready), WakeAt(self.state.flush_at)]

    def _exited(self, reason: str, now: float) -> list[Effect]:
        exited = Notify(EnvoyExited(reason, self._log_tail.lines))
        match self.state:
            case Terminating():
                self.state = Stopped()
                return [Notify(EnvoyStopped())]
            case Draining() | Reporting():
                self.state = Stopped()
                return [exited, Notify(EnvoyStopped())]
            case Serving() if self._inherited:
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
            case Serving(since, pid, flush_at) if now >= flush_at:
                self.state = Serving(since, pid, now + self._timeouts.flush)
                return [FlushStats(), WakeAt(self.state.flush_at)]
            case Waiting(until) if now >= until:
                return self._start(now)
            case Draining(until) if now >= until:
                return [Notify(EnvoyDrainTimedOut(self._timeouts.drain)), *self._report(now)]
            case Reporting(until) if now >= until:
                return self._terminate(now)
            case Terminating(until) if now >= until:
                return [SendSignal(SIGKILL)]
            case _:
                return []

    def _stop(self, now: float, *, drain: bool) -> list[Effect]:
        match self.state:
            case Serving() if drain and self._timeouts.drain > 0:
                seconds = self._timeouts.drain
                self.state = Draining(now + seconds)
                begin = Drain(connections=self._inherited)
                return [Notify(EnvoyDraining(seconds)), begin, WakeAt(now + seconds)]
            case Serving() if drain:
                return self._report(now)
            case Draining() | Reporting() if drain:
                return []
            case Starting() | Serving() | Draining() | Reporting():
                return self._terminate(now)
            case Idle() | Waiting():
                self.state = Stopped()
                return [Notify(EnvoyStopped())]
            case Terminating() | Stopped():
                return []
            case _:
                assert_never(self.state)

    def _report(self, now: float) -> list[Effect]:
        """Envoy's own flush at its shutdown never arrives."""
        if not self._timeouts.flush:
            return self._terminate(now)
        self.state = Reporting(now + self._timeouts.last_flush)
        return [FlushStats(last=True), WakeAt(self.state.until)]

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
