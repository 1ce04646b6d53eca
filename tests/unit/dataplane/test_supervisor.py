"""The supervisor's decisions, without a process and without a clock."""

from signal import SIGKILL, SIGTERM

import pytest

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
from crossgate.dataplane.log import LogLine
from crossgate.dataplane.supervisor import (
    Drain,
    Draining,
    Effect,
    FlushStats,
    Idle,
    Notify,
    PollReady,
    Reporting,
    SendSignal,
    Serving,
    Spawn,
    Starting,
    State,
    Stopped,
    Supervisor,
    Terminating,
    Timeouts,
    Waiting,
    WakeAt,
)
from crossgate.service.log import LogLevel

TIMEOUTS = Timeouts(
    drain=30, terminate=5, ready=10, stable=60, flush=4, last_flush=1, first_restart=0.1, longest_restart=8
)


def supervisor_in(state: State) -> Supervisor:
    supervisor = Supervisor(TIMEOUTS, "s")
    supervisor.state = state
    return supervisor


def reported(effects: list[Effect]) -> list[LifecycleEvent]:
    return [effect.event for effect in effects if isinstance(effect, Notify)]


STARTING, SERVING = Starting(100, 7), Serving(100, 7, 104)
WAITING, DRAINING, REPORTING, TERMINATING = Waiting(100.5), Draining(130), Reporting(101), Terminating(105)

# state, event, time; the state it leads to, and what is done
TRANSITIONS: list[tuple[State, Input, float, State, list[Effect]]] = [
    (Idle(), StartRequested(), 100, Starting(100), [Spawn("s.1")]),
    (Starting(100), Spawned(7), 101, Starting(101, 7),
     [Notify(EnvoyStarted(7)), PollReady(), WakeAt(111)]),
    (STARTING, ReadyAnswered(), 102, Serving(102, 7, 106), [Notify(EnvoyReady(7, 2)), WakeAt(106)]),
    (SERVING, Tick(), 103.9, SERVING, []),
    (SERVING, Tick(), 104.5, Serving(100, 7, 108.5), [FlushStats(), WakeAt(108.5)]),
    (STARTING, Tick(), 109, STARTING, []),
    (STARTING, Tick(), 110, STARTING, [Notify(EnvoyNotReady(7, 10, ())), WakeAt(120)]),
    (STARTING, Tick(), 120, STARTING, [Notify(EnvoyNotReady(7, 20, ())), WakeAt(140)]),
    (STARTING, StopRequested(), 101, Terminating(106), [SendSignal(SIGTERM), WakeAt(106)]),
    (SERVING, Exited(-9), 101, Waiting(101.1),
     [Notify(EnvoyExited("was killed by SIGKILL", ())), Notify(EnvoyRestarting(0.1, 1)),
      WakeAt(101.1)]),
    (WAITING, Tick(), 100.4, WAITING, []),
    (WAITING, Tick(), 100.5, Starting(100.5), [Spawn("s.1")]),
    (WAITING, StopRequested(), 100.2, Stopped(), [Notify(EnvoyStopped())]),
    (Idle(), StopRequested(), 100, Stopped(), [Notify(EnvoyStopped())]),
    (SERVING, StopRequested(), 101, Draining(131),
     [Notify(EnvoyDraining(30)), Drain(), WakeAt(131)]),
    (SERVING, StopRequested(drain=False), 101, Terminating(106), [SendSignal(SIGTERM), WakeAt(106)]),
    (DRAINING, Drained(), 101, Reporting(102), [FlushStats(last=True), WakeAt(102)]),
    (DRAINING, StopRequested(), 101, DRAINING, []),
    (DRAINING, StopRequested(drain=False), 101, Terminating(106), [SendSignal(SIGTERM), WakeAt(106)]),
    (DRAINING, Tick(), 129, DRAINING, []),
    (DRAINING, Tick(), 130, Reporting(131),
     [Notify(EnvoyDrainTimedOut(30)), FlushStats(last=True), WakeAt(131)]),
    (DRAINING, Exited(1), 101, Stopped(),
     [Notify(EnvoyExited("exited with status 1", ())), Notify(EnvoyStopped())]),
    (REPORTING, Flushed(), 100.5, Terminating(105.5), [SendSignal(SIGTERM), WakeAt(105.5)]),
    (REPORTING, Tick(), 100.9, REPORTING, []),
    (REPORTING, Tick(), 101, Terminating(106), [SendSignal(SIGTERM), WakeAt(106)]),
    (REPORTING, StopRequested(), 100.5, REPORTING, []),
    (REPORTING, StopRequested(drain=False), 100.5, Terminating(105.5),
     [SendSignal(SIGTERM), WakeAt(105.5)]),
    (REPORTING, Exited(1), 100.5, Stopped(),
     [Notify(EnvoyExited("exited with status 1", ())), Notify(EnvoyStopped())]),
    (TERMINATING, Flushed(), 100.5, TERMINATING, []),
    (TERMINATING, Tick(), 104, TERMINATING, []),
    (TERMINATING, Tick(), 105, TERMINATING, [SendSignal(SIGKILL)]),
    (TERMINATING, Exited(0), 101, Stopped(), [Notify(EnvoyStopped())]),
    (TERMINATING, StopRequested(drain=False), 101, TERMINATING, []),
]  # fmt: skip


@pytest.mark.parametrize(("state", "event", "now", "then", "done"), TRANSITIONS)
def test_transitions(state: State, event: Input, now: float, then: State, done: list[Effect]) -> None:
    supervisor = supervisor_in(state)

    assert supervisor.receive(event, now) == done
    assert supervisor.state == then


@pytest.mark.parametrize("state", [SERVING, WAITING, DRAINING, TERMINATING, Stopped()])
def test_an_answer_that_comes_too_late_changes_nothing(state: State) -> None:
    supervisor = supervisor_in(state)

    assert supervisor.receive(ReadyAnswered(), 100.1) == []
    assert supervisor.state == state


@pytest.mark.parametrize("event", [StartRequested(), Tick(), ReadyAnswered(), Drained(), StopRequested()])
def test_what_is_stopped_stays_stopped(event: Input) -> None:
    supervisor = supervisor_in(Stopped())

    assert supervisor.receive(event, 1000) == []
    assert supervisor.state == Stopped()


def pauses(supervisor: Supervisor, ends: int, *, served: float) -> list[float]:
    """The pauses before each restart, when Envoy ends so often after having served so long."""
    now, found = 0.0, []
    supervisor.receive(StartRequested(), now)
    for _ in range(ends):
        supervisor.receive(Spawned(7), now)
        supervisor.receive(ReadyAnswered(), now)
        now += served
        (pause,) = [
            c.seconds for c in reported(supervisor.receive(Exited(1), now)) if isinstance(c, EnvoyRestarting)
        ]
        found.append(pause)
        now += pause
        supervisor.receive(Tick(), now)
    return found


def test_pauses_double_up_to_the_longest() -> None:
    assert pauses(Supervisor(TIMEOUTS, "s"), 9, served=1) == pytest.approx(
        [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 8, 8]
    )


def test_it_never_gives_up() -> None:
    assert pauses(Supervisor(TIMEOUTS, "s"), 3000, served=0)[-1] == 8


def test_failures_are_forgotten_after_stable_service() -> None:
    supervisor = Supervisor(TIMEOUTS, "s")
    assert pauses(supervisor, 3, served=1)[-1] == pytest.approx(0.4)

    supervisor.state = Serving(0, 7, 104)
    assert EnvoyRestarting(0.1, 1) in reported(supervisor.receive(Exited(1), 60))


def test_a_start_that_fails_is_retried() -> None:
    supervisor = supervisor_in(Starting(0))

    assert reported(supervisor.receive(SpawnFailed("no memory"), 0)) == [
        EnvoyExited("could not be started: no memory", ()),
        EnvoyRestarting(0.1, 1),
    ]


def test_an_end_is_reported_with_envoys_last_errors() -> None:
    supervisor = supervisor_in(STARTING)
    supervisor.receive(LineLogged(LogLine(LogLevel.WARNING, "main", "just so you know")), 101)
    supervisor.receive(LineLogged(LogLine(LogLevel.ERROR, "main", "cannot bind")), 101)

    (ended, _) = reported(supervisor.receive(Exited(1), 101))

    assert ended == EnvoyExited("exited with status 1", ("cannot bind",))
    assert str(ended) == "Envoy exited with status 1\n  envoy: cannot bind"


def test_a_restart_clears_the_log_tail() -> None:
    supervisor = supervisor_in(STARTING)
    supervisor.receive(LineLogged(LogLine(LogLevel.ERROR, "main", "cannot bind")), 101)
    supervisor.receive(Exited(1), 101)
    supervisor.receive(Tick(), 102)
    supervisor.receive(Spawned(8), 102)

    assert EnvoyExited("exited with status 2", ()) in reported(supervisor.receive(Exited(2), 103))


def test_each_process_has_an_incarnation_of_its_own() -> None:
    supervisor = Supervisor(TIMEOUTS, "s")
    spawned = supervisor.receive(StartRequested(), 0)
    for now in (1, 3):
        supervisor.receive(SpawnFailed("no memory"), now)
        spawned += supervisor.receive(Tick(), now + 1)
    assert spawned == [Spawn("s.1"), Spawn("s.2"), Spawn("s.3")]


def test_without_a_drain_the_last_statistics_are_reported_all_the_same() -> None:
    supervisor = Supervisor(Timeouts(drain=0, last_flush=1), "s")
    supervisor.state = SERVING
    assert supervisor.receive(StopRequested(), 101) == [FlushStats(last=True), WakeAt(102)]


def test_without_an_interval_nothing_is_flushed() -> None:
    supervisor = Supervisor(Timeouts(drain=30, terminate=5, flush=0), "s")
    supervisor.state = STARTING
    assert supervisor.receive(ReadyAnswered(), 102) == [Notify(EnvoyReady(7, 2))]
    assert supervisor.receive(Tick(), 10_000) == []
    supervisor.receive(StopRequested(), 10_001)
    assert supervisor.receive(Drained(), 10_002) == [SendSignal(SIGTERM), WakeAt(10_007)]


def test_an_inherited_envoy_serves_at_once_and_is_drained_to_its_last_connection() -> None:
    supervisor = Supervisor(TIMEOUTS, "s", 3)
    assert supervisor.receive(Inherited(7), 100) == [WakeAt(104)]
    assert supervisor.state == Serving(100, 7, 104)
    assert supervisor.receive(Tick(), 104) == [FlushStats(), WakeAt(108)]
    assert supervisor.receive(StopRequested(), 110) == [
        Notify(EnvoyDraining(30)),
        Drain(connections=True),
        WakeAt(140),
    ]


def test_an_inherited_envoy_that_ends_is_not_started_again() -> None:
    supervisor = Supervisor(TIMEOUTS, "s", 3)
    supervisor.receive(Inherited(7), 100)
    assert supervisor.receive(Exited(1), 101) == [
        Notify(EnvoyExited("exited with status 1", ())),
        Notify(EnvoyStopped()),
    ]
    assert supervisor.state == Stopped()


def test_an_inherited_envoy_that_drains_goes_on_until_its_time() -> None:
    supervisor = Supervisor(TIMEOUTS, "s", 3)
    assert supervisor.receive(Inherited(7, 120), 100) == [Drain(connections=True), WakeAt(120)]
    assert supervisor.receive(Tick(), 120)[0] == Notify(EnvoyDrainTimedOut(30))


def test_the_incarnations_of_a_successor_continue() -> None:
    supervisor = Supervisor(TIMEOUTS, "s", 3)
    assert supervisor.receive(StartRequested(), 0) == [Spawn("s.4")]
