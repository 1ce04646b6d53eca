"""When Envoy is started, asked, warned, stopped and started again: a state machine without process or clock.

``Idle → Starting → Serving → Draining → Terminating → Stopped``; an Envoy that ends unasked goes through
``Waiting`` back to ``Starting``, always: a gateway never gives up on serving.
"""

from __future__ import annotations

from signal import SIGKILL, SIGTERM, Signals
from typing import assert_never

from crossgate.dataplane import changes, effects
from crossgate.dataplane.effects import Effect
from crossgate.dataplane.events import (
    AnsweredReady,
    Begin,
    Drained,
    Event,
    Exited,
    Printed,
    Spawned,
    SpawnFailed,
    StopWanted,
    Tick,
)
from crossgate.dataplane.last_words import LastWords
from crossgate.dataplane.patience import Patience
from crossgate.dataplane.states import Draining, Idle, Serving, Starting, State, Stopped, Terminating, Waiting


class Supervisor:
    """Feed it events with the time they happened at; do the effects it returns, in order."""

    def __init__(self, patience: Patience) -> None:
        self.state: State = Idle()
        self._patience = patience
        self._failures = 0
        self._said = LastWords()

    def receive(self, event: Event, now: float) -> list[Effect]:
        """What to do about ``event``, which happened at ``now`` (seconds on a clock that never goes back).

        Events that come too late for the state, such as a tick for a deadline that is gone, do nothing.
        """
        match event:
            case Printed(line):
                self._said.hear(line)
                return []
            case Begin():
                return self._start(now) if isinstance(self.state, Idle) else []
            case Spawned(pid):
                return self._spawned(pid, now)
            case SpawnFailed(reason):
                return self._ended(f"could not be started: {reason}", now)
            case Exited(status):
                return self._ended(_reason(status), now)
            case AnsweredReady():
                return self._ready(now)
            case Drained():
                return self._terminate(now) if isinstance(self.state, Draining) else []
            case Tick():
                return self._tick(now)
            case StopWanted(drain):
                return self._stop(now, drain=drain)
            case _:
                assert_never(event)

    def _start(self, now: float) -> list[Effect]:
        self._said = LastWords()
        self.state = Starting(now)
        return [effects.Spawn()]

    def _spawned(self, pid: int, now: float) -> list[Effect]:
        self.state = Starting(now, pid)
        report = effects.Report(changes.Started(pid))
        return [report, effects.AwaitReady(), effects.WakeAt(now + self._patience.ready)]

    def _ready(self, now: float) -> list[Effect]:
        if not isinstance(self.state, Starting):
            return []
        report = effects.Report(changes.Ready(self.state.pid, now - self.state.since))
        self.state = Serving(now, self.state.pid)
        return [report]

    def _ended(self, reason: str, now: float) -> list[Effect]:
        report = effects.Report(changes.Ended(reason, self._said.lines))
        match self.state:
            case Terminating():
                self.state = Stopped()
                return [effects.Report(changes.Stopped())]
            case Draining():
                self.state = Stopped()
                return [report, effects.Report(changes.Stopped())]
            case Serving(since) if now - since >= self._patience.stable:
                self._failures = 1
            case Starting() | Serving():
                self._failures += 1
            case Idle() | Waiting() | Stopped():
                raise AssertionError(f"a process ended, in a state that has none: {self.state}")
            case _:
                assert_never(self.state)
        pause = self._patience.before_restart(self._failures)
        self.state = Waiting(now + pause)
        return [
            report,
            effects.Report(changes.Restarting(pause, self._failures)),
            effects.WakeAt(now + pause),
        ]

    def _tick(self, now: float) -> list[Effect]:
        match self.state:
            case Starting(since, pid) if now >= since + self._patience.ready:
                waited = now - since
                # Each report doubles the time to the next one.
                return [
                    effects.Report(changes.NotReadyYet(pid, waited, self._said.lines)),
                    effects.WakeAt(now + waited),
                ]
            case Waiting(until) if now >= until:
                return self._start(now)
            case Draining(until) if now >= until:
                return [effects.Report(changes.CutShort(self._patience.drain)), *self._terminate(now)]
            case Terminating(until) if now >= until:
                return [effects.Send(SIGKILL)]
            case _:
                return []

    def _stop(self, now: float, *, drain: bool) -> list[Effect]:
        match self.state:
            case Serving() if drain and self._patience.drain > 0:
                seconds = self._patience.drain
                self.state = Draining(now + seconds)
                return [
                    effects.Report(changes.Draining(seconds)),
                    effects.Drain(),
                    effects.WakeAt(now + seconds),
                ]
            case Draining() if drain:
                return []
            case Starting() | Serving() | Draining():
                return self._terminate(now)
            case Idle() | Waiting():
                self.state = Stopped()
                return [effects.Report(changes.Stopped())]
            case Terminating() | Stopped():
                return []
            case _:
                assert_never(self.state)

    def _terminate(self, now: float) -> list[Effect]:
        self.state = Terminating(now + self._patience.terminate)
        return [effects.Send(SIGTERM), effects.WakeAt(now + self._patience.terminate)]


def _reason(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
