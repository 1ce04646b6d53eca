"""A program takes over from the one that ran before in the same process, without an outage for clients.

The previous program executed this one (execve(2)) and left what cannot be had again: its Envoy, which is
still this process's child and serves; the runtime directory, where Envoy finds its control plane again; and
the listening sockets of the admin API and of the health checks. The start is the usual one. When it is over,
new connections are steered to the new Envoy, and the old Envoy finishes its requests. If the start fails, the
old Envoy goes on serving, until the next attempt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from crossgate.app.certificates import served_secrets, without_places
from crossgate.app.events import ConnectionsSteered, Emit, NodeChanged, StartFailed, SteeringUnavailable
from crossgate.app.health import Health, HealthOptions
from crossgate.app.health_state import NOT_READY, EnvoyListens, HealthReason
from crossgate.app.tcp_listener import ListeningSockets
from crossgate.dataplane.binary import EnvoyBinary
from crossgate.dataplane.handover import EnvoyHandover, Handover
from crossgate.dataplane.process import Envoy, EnvoySettings
from crossgate.dataplane.runtime_dir import RuntimeDirectory, create_runtime_directory
from crossgate.dataplane.steering import (
    end_steering,
    listening_sockets,
    prepare_closing,
    shares_addresses,
    steer,
)
from crossgate.dataplane.supervisor import Timeouts
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.service.log import Log
from crossgate.xds.ledger import Ledger

_ACCEPT_SECONDS: Final = 1.0
"""For connections that were begun with the old sockets; a client that far away has not answered yet."""
_POLL_SECONDS: Final = 0.2
_CLOSING_SECONDS: Final = 10.0
_MIGRATION: Final = Path("/proc/sys/net/ipv4/tcp_migrate_req")


class TakeOver:
    """What this process has from the previous program, and hands to the next. Enter it around the work."""

    def __init__(
        self,
        emit: Emit = lambda _: None,
        handover: Handover | None = None,
        drain_seconds: float = Timeouts().drain,
    ) -> None:
        self.end = asyncio.Event()
        """The work is to end, for whatever reason."""
        self.stopping = asyncio.Event()
        """This process will end, too: clients must go to other machines."""
        self.node = ""
        """The id of this machine's node, once it is known."""
        self.timeouts = Timeouts(drain=drain_seconds)
        self.is_first = handover is None
        """Whether no program ran before in this process."""
        self.sockets = ListeningSockets({} if handover is None else handover.sockets)
        self.next: Handover | None = None
        """For the next program, when the context was left because of `replace`."""
        self._emit = emit
        self._before = handover or Handover()
        self._directory: RuntimeDirectory | None = None
        self._number = self._before.number
        self._inherited: list[Envoy] = []
        self._kept: list[EnvoyHandover] = []
        self._relieving: asyncio.Task[None] | None = None
        self._stops: list[asyncio.Task[None]] = []
        self._stack = AsyncExitStack()

    @classmethod
    def alone(cls, emit: Emit, stop: asyncio.Event) -> Self:
        """One of a program that never is replaced, and that ``stop`` ends."""
        made = cls(emit)
        made.end = made.stopping = stop
        made.sockets.release()
        return made

    async def __aenter__(self) -> Self:
        before = self._before
        if before.directory:
            self._directory = RuntimeDirectory(Path(before.directory), before.directory_lock)
        for one in before.envoys:
            await self._inherit(one)
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._relieving is not None:
            self._relieving.cancel()
            await asyncio.wait({self._relieving})
        if self.is_replaced:
            directory = self._directory
            self.next = Handover(
                (*filter(None, (one.hand_over() for one in self._inherited)), *self._kept),
                "" if directory is None else str(directory.path),
                -1 if directory is None else directory.lock_descriptor,
                self._number,
                self.sockets.keep(),
            )
            await self._stack.aclose()
            return
        await asyncio.gather(*self._stops, *(one.stop() for one in self._inherited))
        await self._stack.aclose()
        self.sockets.release()
        if self._directory is not None:
            self._directory.close()

    def stop(self) -> None:
        """End the work, and then this process."""
        # Who connects now is refused, and does not wait for a server that does not come back.
        self.sockets.release()
        self.stopping.set()
        self.end.set()
        # At the same time as the new Envoy.
        self._stops = [asyncio.create_task(one.stop()) for one in self._inherited]

    async def wait_for_drains(self) -> None:
        """Return when the old Envoys have ended, if this process stops."""
        if self.stopping.is_set():
            await asyncio.gather(*(one.stop() for one in self._inherited))

    def replace(self) -> None:
        """End the work, and keep for the next program what it takes over."""
        self.end.set()

    @property
    def is_replaced(self) -> bool:
        """Whether the next program takes over, or this process ends."""
        return self.end.is_set() and not self.stopping.is_set()

    @property
    def serving(self) -> Envoy | None:
        """The old Envoy, while it serves."""
        return next((one for one in reversed(self._inherited) if one.serves), None)

    @property
    def envoy_pids(self) -> set[int]:
        """The Envoys of previous programs."""
        return {one.pid for one in self._inherited if one.pid is not None}

    def runtime_directory(self) -> RuntimeDirectory:
        """The directory of the previous program, or a new one; raises InvalidInput if there can be none."""
        if self._directory is None:
            self._directory = create_runtime_directory()
        return self._directory

    def settings(self, settings: EnvoySettings) -> EnvoySettings:
        """The settings of an Envoy that takes the place of the one before."""
        last = None
        if self._before.envoys:
            last = self._before.envoys[-1]
            last = replace(last, number=max(last.number, self._number))
        return replace(settings, timeouts=self.timeouts, replaced=last)

    def announce(self, ledger: Ledger) -> None:
        """Tell the ledger which processes of this machine's node are replaced."""
        for one in self._before.envoys:
            ledger.expect_after(self.node, one.incarnation)

    def keep(self, envoy: Envoy) -> None:
        """Hand the Envoy over, if it serves and this program is replaced; call it before its context ends."""
        self._number = envoy.number
        if self.is_replaced:
            kept = envoy.hand_over()
            self._kept += [] if kept is None else [kept]

    def relieve(self, envoy: Envoy) -> None:
        """Begin to steer new connections to ``envoy``, and to end the old Envoys."""
        self.sockets.release_unused()
        if self._inherited:
            self._relieving = asyncio.create_task(self._relieve(envoy))

    async def run(self, work: Coroutine[None, None, None], health: HealthOptions | None) -> None:
        """Do the work; if it fails while an old Envoy serves, wait for the next attempt.

        Raises what the work raises, when no Envoy serves any more.
        """
        try:
            await work
        except Exception as failure:
            if self.serving is None or self._relieving is not None or self.end.is_set():
                raise
            refused = failure.diagnostics if isinstance(failure, InvalidInput) else (_failed(failure),)
            self._emit(StartFailed(tuple(refused)))
            await self._hold(health)
            if not self.end.is_set():
                raise

    def health(self, options: HealthOptions | None) -> Health:
        """The health checks of this process: the old Envoy serves during the start.

        Raises InvalidInput if their address cannot be used.
        """
        health = Health(options, self.stopping, self._emit, self.sockets.bind)
        if self.serving is not None:
            health.state.checks.append(_EnvoyBeforeServes(self))
            health.set_started()
        return health

    async def _hold(self, options: HealthOptions | None) -> None:
        """Answer health checks and serve certificates until the next attempt, the stop, or the last end."""
        try:
            health = self.health(options)
        except InvalidInput:
            health = self.health(None)
        health.state.checks[:] = [EnvoyListens(one) for one in self._inherited if one.serves]
        warning = HealthReason("restart-failed", "the last restart failed: see the log")
        health.state.warnings.append(lambda: warning)
        ended = [asyncio.create_task(one.stopped()) for one in self._inherited]
        waiting = asyncio.create_task(self.end.wait())
        # Their files may be renewed before the next attempt.
        socket = self.runtime_directory().secrets_socket
        async with health.serving(), served_secrets(socket, lambda one: self._emit(without_places(one))):
            while self.serving is not None and not self.end.is_set():
                await asyncio.wait({waiting, *ended}, return_when=asyncio.FIRST_COMPLETED)
                ended = [one for one in ended if not one.done()]
        for one in (waiting, *ended):
            one.cancel()

    async def _inherit(self, handover: EnvoyHandover) -> None:
        directory = self.runtime_directory()
        settings = EnvoySettings(EnvoyBinary(Path(), ""), b"", directory, timeouts=self.timeouts)
        moved = replace(handover, admin_socket=str(directory.move_admin_socket(Path(handover.admin_socket))))
        try:
            envoy = Envoy(settings, lambda change: self._emit(NodeChanged(change, self.node)), moved)
            self._inherited.append(await self._stack.enter_async_context(envoy))
        except ProcessLookupError:
            Log("envoy").warning("the old Envoy has ended", pid=handover.pid)

    async def _relieve(self, envoy: Envoy) -> None:
        # An Envoy that ends before the old one drains is started again, and steered to again.
        while not await self._steer(pid := await _listening(envoy), envoy):
            pass
        drains = asyncio.gather(*(one.stop() for one in self._inherited))
        await self._end_steering(pid)
        await drains

    async def _steer(self, pid: int, envoy: Envoy) -> bool:
        """Steer new connections to the process, as far as the system allows it; False if it has ended."""
        try:
            await asyncio.to_thread(steer, pid)
            self._emit(ConnectionsSteered(pid))
            await asyncio.sleep(_ACCEPT_SECONDS)
            await asyncio.to_thread(prepare_closing, pid)
        except OSError as error:
            if envoy.pid == pid and not _migrates():
                self._emit(SteeringUnavailable(error.strerror or str(error)))
        return envoy.pid == pid and envoy.serves

    async def _end_steering(self, pid: int) -> None:
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                while True:
                    if not await asyncio.to_thread(shares_addresses, pid):
                        break
                    await asyncio.sleep(_POLL_SECONDS)
            await asyncio.to_thread(end_steering, pid)
        except (OSError, TimeoutError) as error:
            Log("envoy").debug("cannot end the steering of connections", reason=str(error))


class _EnvoyBeforeServes:
    """Checks that the old Envoy runs, without a query to it: the start keeps the event loop busy."""

    def __init__(self, take_over: TakeOver) -> None:
        self._take_over = take_over

    async def reasons(self) -> Sequence[HealthReason]:
        """Why no client is served."""
        return [] if self._take_over.serving is not None else [NOT_READY]


async def _listening(envoy: Envoy) -> int:
    """The process id, once it listens: a node may get no listener for a while."""
    while True:
        pid = envoy.pid
        if pid is not None and envoy.serves and await asyncio.to_thread(_listens, pid):
            return pid
        await asyncio.sleep(_POLL_SECONDS)


def _listens(pid: int) -> bool:
    try:
        return bool(listening_sockets(pid))
    except OSError:
        return False


def _migrates() -> bool:
    """Whether the kernel moves waiting connections to another socket of the address (ip-sysctl)."""
    try:
        return _MIGRATION.read_text(encoding="ascii").strip() == "1"
    except OSError:
        return False


def _failed(failure: Exception) -> Diagnostic:
    Log("process").exception("The start failed", cause=failure)
    return Diagnostic(
        "start-failed",
        f"the start failed: {type(failure).__name__}",
        "See the exception in the log",
    )
