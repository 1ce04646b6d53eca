"""The supervisor at work: one Envoy of this machine, in a process of its own.

The supervisor decides; this performs, with processes, timers and the admin interface.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from signal import SIGKILL, Signals
from types import TracebackType
from typing import Self, assert_never

from crossgate.dataplane import changes, effects
from crossgate.dataplane.admin import AdminClient
from crossgate.dataplane.binary import Binary
from crossgate.dataplane.changes import Change
from crossgate.dataplane.child import launch, log_lines
from crossgate.dataplane.command import command
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
from crossgate.dataplane.runtime_dir import RuntimeDirectory
from crossgate.dataplane.states import Terminating
from crossgate.dataplane.supervisor import Supervisor
from crossgate.service.log import Log

_ASK_EVERY = 0.03


@dataclass(frozen=True, slots=True)
class EnvoySettings:
    """One Envoy: what runs, where it keeps its files, and how patient Crossgate is with it."""

    binary: Binary
    bootstrap: bytes
    directory: RuntimeDirectory
    concurrency: int | None = None
    log_level: str = "warning"
    patience: Patience = field(default_factory=Patience)


class EnvoyStopped(Exception):  # noqa: N818 - a state, not a fault
    """Envoy was stopped before it was ready."""


class Envoy:
    """Keeps one Envoy running from ``async with`` to its end, or until ``stop``.

    ``on_change`` is called in the event loop with every change, as it happens; it must not block or
    raise. Entering raises InvalidInput if the bootstrap can't be written. Enter it from a thread that
    lives as long as Envoy shall: when that thread ends, however it ends, the kernel kills Envoy.
    """

    def __init__(self, settings: EnvoySettings, on_change: Callable[[Change], None] = lambda _: None) -> None:
        self.admin = AdminClient(settings.directory.admin_socket)
        self._settings = settings
        self._on_change = on_change
        self._supervisor = Supervisor(settings.patience)
        self._process: Process | None = None
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._timer: asyncio.TimerHandle | None = None
        self._question: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._supervision: asyncio.Task[None] | None = None
        self._is_ready = asyncio.Event()
        self._log = Log("envoy")

    @property
    def pid(self) -> int | None:
        """The process id of the Envoy that runs now, if one does."""
        return self._process.pid if self._process is not None else None

    async def __aenter__(self) -> Self:
        self._settings.directory.write_bootstrap(self._settings.bootstrap)
        self._events.put_nowait(Begin())
        self._supervision = asyncio.create_task(self._supervise())
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            await self.stop(drain=error is None)
        finally:
            await self._abandon()

    async def run(self) -> None:
        """Keep Envoy running until ``stop``; when cancelled, end it without draining."""
        async with self:
            await self.stopped()

    async def ready(self) -> None:
        """Return when Envoy serves; raises EnvoyStopped if it is stopped before that."""
        became_ready = asyncio.create_task(self._is_ready.wait())
        try:
            await asyncio.wait({became_ready, self._running()}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            became_ready.cancel()
        if not self._is_ready.is_set():
            await self.stopped()
            raise EnvoyStopped

    async def stop(self, *, drain: bool = True) -> None:
        """End Envoy, and return when it has ended: after the requests it has begun, or at once.

        Takes no longer than the settings' patience. A second call without ``drain`` cuts a drain short.
        """
        self._events.put_nowait(StopWanted(drain))
        await self.stopped()

    async def stopped(self) -> None:
        """Return when Envoy has been stopped."""
        await asyncio.shield(self._running())

    def _running(self) -> asyncio.Task[None]:
        if self._supervision is None:
            raise RuntimeError("enter the Envoy first: async with envoy")
        return self._supervision

    async def _supervise(self) -> None:
        while not isinstance(await self._step(await self._events.get()), changes.Stopped):
            pass

    async def _step(self, event: Event) -> Change | None:
        """Tell the supervisor, do what it says, and return the last change it reported."""
        last: Change | None = None
        todo = self._supervisor.receive(event, self._now())
        while todo:
            effect = todo.pop(0)
            if isinstance(effect, effects.Report):
                last = effect.change
            outcome = await self._perform(effect)
            if outcome is not None:
                todo += self._supervisor.receive(outcome, self._now())
        return last

    async def _perform(self, effect: Effect) -> Event | None:
        match effect:
            case effects.Spawn():
                return await self._spawn()
            case effects.AwaitReady():
                self._ask(self._await_ready())
            case effects.Drain():
                self._ask(self._drain())
            case effects.Send(signal):
                self._send(signal)
            case effects.WakeAt(time):
                self._wake_at(time)
            case effects.Report(change):
                self._report(change)
            case _:
                assert_never(effect)
        return None

    async def _spawn(self) -> Event:
        settings = self._settings
        argv = command(
            settings.binary.path,
            settings.directory.bootstrap_file,
            concurrency=settings.concurrency,
            drain_seconds=settings.patience.drain,
            log_level=settings.log_level,
        )
        try:
            self._process = await launch(argv)
        except OSError as error:
            return SpawnFailed(str(error))
        self._watch = asyncio.create_task(self._watch_over(self._process))
        return Spawned(self._process.pid)

    async def _watch_over(self, process: Process) -> None:
        async for line in log_lines(process):
            self._hear(line)
        self._events.put_nowait(Exited(await process.wait()))

    def _hear(self, line: LogLine) -> None:
        self._supervisor.receive(Printed(line), self._now())
        # A stopping Envoy warns of just that, and of everything it can no longer reach.
        level = "debug" if isinstance(self._supervisor.state, Terminating) else line.level
        getattr(self._log, level)(line.message, component=line.component or "output")

    def _ask(self, question: Coroutine[None, None, None]) -> None:
        self._stop_asking()
        self._question = asyncio.create_task(question)

    def _stop_asking(self) -> None:
        if self._question is not None:
            self._question.cancel()

    async def _await_ready(self) -> None:
        while True:
            if await self.admin.ready():
                break
            await asyncio.sleep(_ASK_EVERY)
        self._events.put_nowait(AnsweredReady())

    async def _drain(self) -> None:
        import httpx  # what asks after it; loaded as late as there, see `AdminClient`

        begun = False
        while True:
            # An Envoy that does not answer is left to the supervisor's deadline.
            with suppress(httpx.HTTPError):
                if not begun:
                    await self.admin.begin_drain()
                    begun = True
                if await self.admin.active_requests() == 0:
                    break
            await asyncio.sleep(_ASK_EVERY)
        self._events.put_nowait(Drained())

    def _send(self, signal: Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal)

    def _wake_at(self, time: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(time, self._events.put_nowait, Tick())

    def _report(self, change: Change) -> None:
        match change:
            case changes.Ready():
                self._is_ready.set()
            case changes.Ended() | changes.Draining() | changes.Stopped():
                self._is_ready.clear()
            case _:
                pass
        if isinstance(change, changes.Ended | changes.Stopped):
            self._stop_asking()
            self._process = None
        self._on_change(change)

    async def _abandon(self) -> None:
        """Leave nothing behind, even if stopping was itself interrupted."""
        self._send(SIGKILL)
        if self._timer is not None:
            self._timer.cancel()
        for task in (self._question, self._watch, self._supervision):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        await self.admin.close()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
