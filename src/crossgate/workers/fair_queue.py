"""Slots for work, shared fairly among callers: one caller's jobs do not delay the first job of another."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

MOST_WAITING_OF_CALLER: Final = 8
MOST_WAITING: Final = 128


class QueueFullError(Exception):
    """No more jobs can wait: of this caller, or of all of them together."""

    def __init__(self, *, of_caller: bool) -> None:
        super().__init__()
        self.of_caller = of_caller


@dataclass(slots=True)
class _Caller:
    running: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class FairQueue:
    """``slots`` jobs run at once, at most one of each caller. The next is of the caller served longest ago.

    ``reserved`` more slots are for callers with precedence. Used from one event loop.
    """

    def __init__(self, slots: int, reserved: int) -> None:
        self._slots = slots
        self._reserved = reserved
        self._running = 0
        self._callers: dict[str, _Caller] = {}
        """In the order in which they are served next."""
        self._preferred: set[str] = set()

    @asynccontextmanager
    async def slot(self, name: str, *, preferred: bool = False) -> AsyncIterator[None]:
        """Wait for a slot, and keep it while the context lasts.

        Raises:
            QueueFullError: too many wait already.

        """
        caller = self._callers.setdefault(name, _Caller())
        if preferred:
            self._preferred.add(name)
        if not caller.waiting and self._may_run(name, caller):
            self._begin(caller)
        else:
            await self._wait(name, caller)
        try:
            yield
        finally:
            caller.running -= 1
            self._running -= 1
            # Served just now: the others first.
            self._callers[name] = self._callers.pop(name)
            self._start_waiting()
            self._forget(name)

    def _may_run(self, name: str, caller: _Caller) -> bool:
        slots = self._slots + (self._reserved if name in self._preferred else 0)
        return caller.running == 0 and self._running < slots

    def _begin(self, caller: _Caller) -> None:
        caller.running += 1
        self._running += 1

    async def _wait(self, name: str, caller: _Caller) -> None:
        if len(caller.waiting) >= MOST_WAITING_OF_CALLER:
            raise QueueFullError(of_caller=True)
        if sum(len(one.waiting) for one in self._callers.values()) >= MOST_WAITING:
            raise QueueFullError(of_caller=False)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        caller.waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                caller.running -= 1
                self._running -= 1
                self._start_waiting()
            elif turn in caller.waiting:
                caller.waiting.remove(turn)
            self._forget(name)
            raise

    def _start_waiting(self) -> None:
        for name, caller in sorted(self._callers.items(), key=lambda item: item[0] not in self._preferred):
            while caller.waiting and self._may_run(name, caller):
                turn = caller.waiting.popleft()
                if not turn.cancelled():
                    self._begin(caller)
                    turn.set_result(None)

    def _forget(self, name: str) -> None:
        caller = self._callers.get(name)
        if caller is not None and not caller.running and not caller.waiting:
            del self._callers[name]
            self._preferred.discard(name)
