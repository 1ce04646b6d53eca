"""The supervisor at work: one Envoy of this machine, in a process of its own.

The supervisor decides; this performs its effects, with processes, timers and the admin interface.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from signal import SIGKILL
from types import TracebackType
from typing import Final, Self, assert_never

from crossgate.dataplane.access_log_rotation import AccessLogRotation
from crossgate.dataplane.binary import EnvoyBinary
from crossgate.dataplane.bootstrap import command_line
from crossgate.dataplane.envoy_admin import EnvoyAdmin
from crossgate.dataplane.envoy_process import EnvoyProcess
from crossgate.dataplane.handover import EnvoyHandover
from crossgate.dataplane.lifecycle_events import (
    Drained,
    EnvoyDraining,
    EnvoyExited,
    EnvoyReady,
    EnvoyRestarting,
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
from crossgate.dataplane.log import LogLine, read_log
from crossgate.dataplane.runtime_dir import RuntimeDirectory
from crossgate.dataplane.supervisor import (
    Drain,
    Draining,
    Effect,
    FlushStats,
    Notify,
    PollReady,
    Reporting,
    SendSignal,
    Serving,
    Spawn,
    Supervisor,
    Terminating,
    Timeouts,
    WakeAt,
)
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.service.log import Log, LogLevel

_MOST_FAILED_STARTS: Final = 5
"""In a row, before the first success. Later starts are repeated without limit."""


@dataclass(frozen=True, slots=True)
class EnvoySettings:
    """What to run, where it keeps its files, and how long the supervisor waits."""

    binary: EnvoyBinary
    bootstrap: bytes
    directory: RuntimeDirectory
    concurrency: int | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    replaced: EnvoyHandover | None = None
    """The Envoy whose place this one takes: its incarnations continue with the next number."""


class StoppedBeforeReady(Exception):  # noqa: N818 - a state, not a fault
    """Envoy was stopped before it was ready."""


class Envoy:
    """Keeps one Envoy running from ``async with`` to its end, or until ``stop``.

    ``on_event`` is called in the event loop with every reported event, as it happens; it must not block or
    raise. Entering raises InvalidInput if the bootstrap can't be written. Enter it from a thread that lives
    as long as Envoy shall: when that thread ends, however it ends, the kernel kills Envoy.
    """

    def __init__(
        self,
        settings: EnvoySettings,
        on_event: Callable[[LifecycleEvent], None] = lambda _: None,
        inherited: EnvoyHandover | None = None,
    ) -> None:
        """With ``inherited``, supervise that one, and start none when it ends."""
        before = inherited or settings.replaced
        admin = settings.directory.admin_socket if inherited is None else Path(inherited.admin_socket)
        self.admin = EnvoyAdmin(admin)
        self.settings = settings
        self._admin_socket = admin
        self._on_event = on_event
        self._inherited = inherited
        self._supervisor = Supervisor(
            settings.timeouts,
            secrets.token_hex(8) if before is None else before.name,
            0 if before is None else before.number,
        )
        self._process: EnvoyProcess | None = None
        self._handed_over = False
        self._inputs: asyncio.Queue[Input] = asyncio.Queue()
        self._timer: asyncio.TimerHandle | None = None
        self._poll: asyncio.Task[None] | None = None
        self._flushing: asyncio.Task[bool] | None = None
        self._log_reader: asyncio.Task[None] | None = None
        self._supervision: asyncio.Task[None] | None = None
        self._rotation: asyncio.Task[None] | None = None
        self._is_ready = asyncio.Event()
        self._was_ready = False
        self._cannot_start = asyncio.Event()
        self._last_exit: EnvoyExited | None = None
        self._log = Log("envoy")

    @property
    def pid(self) -> int | None:
        """The process id of the running Envoy, or None."""
        return self._process.pid if self._process is not None else None

    @property
    def number(self) -> int:
        """The number of the last incarnation."""
        return self._supervisor.number

    @property
    def serves(self) -> bool:
        """Whether Envoy is ready, and neither drains nor has ended."""
        return self._is_ready.is_set()

    async def __aenter__(self) -> Self:
        if self._inherited is None:
            self.settings.directory.write_bootstrap(self.settings.bootstrap)
            self._inputs.put_nowait(StartRequested())
        else:
            process = EnvoyProcess(self._inherited.pid, self._inherited.log_descriptor)
            self._process = await process.connect_log()
            self._log_reader = asyncio.create_task(self._read_log(process))
            self._inputs.put_nowait(Inherited(process.pid, self._inherited.drain_until))
            if self._inherited.drain_until is None:
                self._is_ready.set()
        self._supervision = asyncio.create_task(self._supervise())
        self._rotation = asyncio.create_task(AccessLogRotation(self._admin_socket).run())
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if not self._handed_over:
                await self.stop(drain=error is None)
        finally:
            await self._clean_up()

    def hand_over(self) -> EnvoyHandover | None:
        """Let the process live on when the context ends; returns None if no client is connected to it."""
        process, state = self._process, self._supervisor.state
        drain_until = None
        match state:
            case Serving():
                pass
            case Draining(until) | Reporting(until) | Terminating(until):
                drain_until = until
            case _:
                return None
        if process is None:
            return None
        self._handed_over = True
        return EnvoyHandover(
            process.pid,
            self._supervisor.name,
            self._supervisor.number,
            str(self._admin_socket),
            os.dup(process.log_descriptor),
            drain_until,
        )

    async def ready(self) -> None:
        """Return when Envoy serves.

        Raises:
            StoppedBeforeReady: it is stopped before that.
            InvalidInput: it ended several times in a row, and was never ready.

        """
        waits = {asyncio.create_task(event.wait()) for event in (self._is_ready, self._cannot_start)}
        try:
            await asyncio.wait({*waits, self._running()}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self._cannot_start.is_set():
            raise InvalidInput([_never_ready(self._last_exit)])
        if not self._is_ready.is_set():
            await self.stopped()
            raise StoppedBeforeReady

    async def stop(self, *, drain: bool = True) -> None:
        """End Envoy, and return when it has ended: after the requests in progress, or at once.

        Takes no longer than the settings' ``timeouts``. A second call without ``drain`` cuts a drain short.
        """
        self._inputs.put_nowait(StopRequested(drain))
        await self.stopped()

    async def stopped(self) -> None:
        """Return when Envoy has been stopped."""
        await asyncio.shield(self._running())

    def _running(self) -> asyncio.Task[None]:
        if self._supervision is None:
            raise RuntimeError("enter the Envoy first: async with envoy")
        return self._supervision

    async def _supervise(self) -> None:
        while not isinstance(await self._step(await self._inputs.get()), EnvoyStopped):
            pass

    async def _step(self, event: Input) -> LifecycleEvent | None:
        """Give the supervisor one input, perform the effects, and return the last reported event."""
        last: LifecycleEvent | None = None
        effects = self._supervisor.receive(event, self._now())
        while effects:
            effect = effects.pop(0)
            if isinstance(effect, Notify):
                last = effect.event
            result = await self._perform(effect)
            if result is not None:
                effects += self._supervisor.receive(result, self._now())
        return last

    async def _perform(self, effect: Effect) -> Input | None:
        match effect:
            case Spawn(incarnation):
                return await self._spawn(incarnation)
            case PollReady():
                self._start_poll(self.admin.wait_until_ready, ReadyAnswered())
            case Drain(connections):
                self._start_poll(partial(self.admin.drain, connections=connections), Drained())
            case FlushStats(last=True):
                self._start_poll(self.admin.flush_and_wait, Flushed())
            case FlushStats():
                self._flush()
            case SendSignal(signal):
                if self._process is not None:
                    self._process.send_signal(signal)
            case WakeAt(time):
                self._wake_at(time)
            case Notify(event):
                self._notify(event)
            case _:
                assert_never(effect)
        return None

    async def _spawn(self, incarnation: str) -> Input:
        settings = self.settings
        argv = command_line(
            settings.binary.path,
            settings.directory.bootstrap_file,
            concurrency=settings.concurrency,
            drain_seconds=settings.timeouts.drain,
            incarnation=incarnation,
        )
        try:
            self._process = await EnvoyProcess.start(argv)
        except OSError as error:
            return SpawnFailed(str(error))
        self._log_reader = asyncio.create_task(self._read_log(self._process))
        return Spawned(self._process.pid)

    async def _read_log(self, process: EnvoyProcess) -> None:
        async for line in read_log(process.log):
            self._log_line(line)
        self._inputs.put_nowait(Exited(await process.wait()))

    def _log_line(self, line: LogLine) -> None:
        self._supervisor.receive(LineLogged(line), self._now())
        # A terminating Envoy warns of its own end and of every connection that it loses.
        level = LogLevel.DEBUG if isinstance(self._supervisor.state, Terminating) else line.level
        self._log.log(level, line.message, {"component": line.component or "output"})

    def _start_poll(self, condition: Callable[[], Awaitable[None]], event: Input) -> None:
        self._cancel_poll()
        self._poll = asyncio.create_task(self._poll_until(condition, event))

    def _cancel_poll(self) -> None:
        if self._poll is not None:
            self._poll.cancel()

    def _flush(self) -> None:
        # An Envoy that is busy for longer than an interval gets no second request before it has answered.
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self.admin.flush())

    async def _poll_until(self, condition: Callable[[], Awaitable[None]], event: Input) -> None:
        await condition()
        self._inputs.put_nowait(event)

    def _wake_at(self, time: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(time, self._inputs.put_nowait, Tick())

    def _notify(self, event: LifecycleEvent) -> None:
        match event:
            case EnvoyReady():
                self._was_ready = True
                self._is_ready.set()
            case EnvoyRestarting(_, failures) if failures >= _MOST_FAILED_STARTS and not self._was_ready:
                self._cannot_start.set()
            case EnvoyExited() | EnvoyDraining() | EnvoyStopped():
                self._is_ready.clear()
            case _:
                pass
        if isinstance(event, EnvoyExited):
            self._last_exit = event
        if isinstance(event, EnvoyExited | EnvoyStopped):
            self._cancel_poll()
            self._forget_process()
        self._on_event(event)

    async def _clean_up(self) -> None:
        """Leave no process, timer or task behind, even if ``stop`` was interrupted."""
        if self._process is not None and not self._handed_over:
            self._process.send_signal(SIGKILL)
        if self._timer is not None:
            self._timer.cancel()
        for task in (self._rotation, self._poll, self._flushing, self._log_reader, self._supervision):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        self._forget_process()
        if not self._handed_over:
            # Health checks query an Envoy that lives on until this program ends.
            await self.admin.close()

    def _forget_process(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _never_ready(last: EnvoyExited | None) -> Diagnostic:
    reason = "" if last is None else ": ".join([last.reason, *last.log_tail[-1:]])
    return Diagnostic(
        "envoy-start-failed",
        f"Envoy ended {_MOST_FAILED_STARTS} times in a row and was never ready: it {reason}",
        "Correct the cause: the log has what Envoy wrote",
    )
