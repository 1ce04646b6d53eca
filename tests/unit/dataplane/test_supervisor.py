"""The supervisor's decisions, without a process and without a clock."""

from signal import SIGKILL, SIGTERM

import pytest

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
from crossgate.dataplane.log import LogLine
from crossgate.dataplane.patience import Patience
from crossgate.dataplane.states import Draining, Idle, Serving, Starting, State, Stopped, Terminating, Waiting
from crossgate.dataplane.supervisor import Supervisor

PATIENCE = Patience(drain=30, terminate=5, ready=10, stable=60, first_restart=0.1, longest_restart=8)


def supervisor_in(state: State) -> Supervisor:
    supervisor = Supervisor(PATIENCE)
    supervisor.state = state
    return supervisor


def told(effects_: list[Effect]) -> list[changes.Change]:
    return [effect.change for effect in effects_ if isinstance(effect, effects.Report)]


STARTING, SERVING = Starting(100, 7), Serving(100, 7)
WAITING, DRAINING, TERMINATING = Waiting(100.5), Draining(130), Terminating(105)

# state, event, time; the state it leads to, and what is done
TRANSITIONS: list[tuple[State, Event, float, State, list[Effect]]] = [
    (Idle(), Begin(), 100, Starting(100), [effects.Spawn()]),
    (Starting(100), Spawned(7), 101, Starting(101, 7),
     [effects.Report(changes.Started(7)), effects.AwaitReady(), effects.WakeAt(111)]),
    (STARTING, AnsweredReady(), 102, Serving(102, 7), [effects.Report(changes.Ready(7, 2))]),
    (STARTING, Tick(), 109, STARTING, []),
    (STARTING, Tick(), 110, STARTING, [effects.Report(changes.NotReadyYet(7, 10, ())), effects.WakeAt(120)]),
    (STARTING, Tick(), 120, STARTING, [effects.Report(changes.NotReadyYet(7, 20, ())), effects.WakeAt(140)]),
    (STARTING, StopWanted(), 101, Terminating(106), [effects.Send(SIGTERM), effects.WakeAt(106)]),
    (SERVING, Exited(-9), 101, Waiting(101.1),
     [effects.Report(changes.Ended("was ended by SIGKILL", ())), effects.Report(changes.Restarting(0.1, 1)),
      effects.WakeAt(101.1)]),
    (WAITING, Tick(), 100.4, WAITING, []),
    (WAITING, Tick(), 100.5, Starting(100.5), [effects.Spawn()]),
    (WAITING, StopWanted(), 100.2, Stopped(), [effects.Report(changes.Stopped())]),
    (Idle(), StopWanted(), 100, Stopped(), [effects.Report(changes.Stopped())]),
    (SERVING, StopWanted(), 101, Draining(131),
     [effects.Report(changes.Draining(30)), effects.Drain(), effects.WakeAt(131)]),
    (SERVING, StopWanted(drain=False), 101, Terminating(106), [effects.Send(SIGTERM), effects.WakeAt(106)]),
    (DRAINING, Drained(), 101, Terminating(106), [effects.Send(SIGTERM), effects.WakeAt(106)]),
    (DRAINING, StopWanted(), 101, DRAINING, []),
    (DRAINING, StopWanted(drain=False), 101, Terminating(106), [effects.Send(SIGTERM), effects.WakeAt(106)]),
    (DRAINING, Tick(), 129, DRAINING, []),
    (DRAINING, Tick(), 130, Terminating(135),
     [effects.Report(changes.CutShort(30)), effects.Send(SIGTERM), effects.WakeAt(135)]),
    (DRAINING, Exited(1), 101, Stopped(),
     [effects.Report(changes.Ended("ended with status 1", ())), effects.Report(changes.Stopped())]),
    (TERMINATING, Tick(), 104, TERMINATING, []),
    (TERMINATING, Tick(), 105, TERMINATING, [effects.Send(SIGKILL)]),
    (TERMINATING, Exited(0), 101, Stopped(), [effects.Report(changes.Stopped())]),
    (TERMINATING, StopWanted(drain=False), 101, TERMINATING, []),
]  # fmt: skip


@pytest.mark.parametrize(("state", "event", "now", "then", "done"), TRANSITIONS)
def test_transitions(state: State, event: Event, now: float, then: State, done: list[Effect]) -> None:
    supervisor = supervisor_in(state)

    assert supervisor.receive(event, now) == done
    assert supervisor.state == then


@pytest.mark.parametrize("state", [SERVING, WAITING, DRAINING, TERMINATING, Stopped()])
def test_an_answer_that_comes_too_late_changes_nothing(state: State) -> None:
    supervisor = supervisor_in(state)

    assert supervisor.receive(AnsweredReady(), 100.1) == []
    assert supervisor.state == state


@pytest.mark.parametrize("event", [Begin(), Tick(), AnsweredReady(), Drained(), StopWanted()])
def test_what_is_stopped_stays_stopped(event: Event) -> None:
    supervisor = supervisor_in(Stopped())

    assert supervisor.receive(event, 1000) == []
    assert supervisor.state == Stopped()


def pauses(supervisor: Supervisor, ends: int, *, served: float) -> list[float]:
    """The pauses before each restart, when Envoy ends so often after having served so long."""
    now, found = 0.0, []
    supervisor.receive(Begin(), now)
    for _ in range(ends):
        supervisor.receive(Spawned(7), now)
        supervisor.receive(AnsweredReady(), now)
        now += served
        (pause,) = [
            c.seconds for c in told(supervisor.receive(Exited(1), now)) if isinstance(c, changes.Restarting)
        ]
        found.append(pause)
        now += pause
        supervisor.receive(Tick(), now)
    return found


def test_pauses_double_up_to_the_longest() -> None:
    assert pauses(Supervisor(PATIENCE), 9, served=1) == pytest.approx(
        [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 8, 8]
    )


def test_it_never_gives_up() -> None:
    assert pauses(Supervisor(PATIENCE), 3000, served=0)[-1] == 8


def test_failures_are_forgotten_after_stable_service() -> None:
    supervisor = Supervisor(PATIENCE)
    assert pauses(supervisor, 3, served=1)[-1] == pytest.approx(0.4)

    supervisor.state = Serving(0, 7)
    assert changes.Restarting(0.1, 1) in told(supervisor.receive(Exited(1), 60))


def test_a_start_that_fails_is_tried_again() -> None:
    supervisor = supervisor_in(Starting(0))

    assert told(supervisor.receive(SpawnFailed("no memory"), 0)) == [
        changes.Ended("could not be started: no memory", ()),
        changes.Restarting(0.1, 1),
    ]


def test_an_end_is_reported_with_envoys_last_errors() -> None:
    supervisor = supervisor_in(STARTING)
    supervisor.receive(Printed(LogLine("warning", "main", "just so you know")), 101)
    supervisor.receive(Printed(LogLine("critical", "main", "cannot bind")), 101)

    (ended, _) = told(supervisor.receive(Exited(1), 101))

    assert ended == changes.Ended("ended with status 1", ("cannot bind",))
    assert str(ended) == "Envoy ended with status 1\n  envoy: cannot bind"


def test_a_new_run_starts_with_nothing_said() -> None:
    supervisor = supervisor_in(STARTING)
    supervisor.receive(Printed(LogLine("critical", "main", "cannot bind")), 101)
    supervisor.receive(Exited(1), 101)
    supervisor.receive(Tick(), 102)
    supervisor.receive(Spawned(8), 102)

    assert changes.Ended("ended with status 2", ()) in told(supervisor.receive(Exited(2), 103))
