"""Work of servers that never ends by itself, and that a stop ends as if it had finished.

gRPC logs a method that it cancels as a failure, with its traceback, for each stream of each node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

_T = TypeVar("_T")


class Stoppable:
    """Runs coroutines until they end, or until ``stop``."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()
        self.stopped = False
        """Whether `stop` was called."""

    async def run(self, work: Coroutine[object, object, _T]) -> _T | None:
        """The result of ``work``; None if it was stopped. Exceptions are raised."""
        if self.stopped:
            work.close()
            return None
        task = asyncio.create_task(work)
        self._tasks.add(task)
        try:
            await asyncio.wait({task})
        finally:
            self._tasks.discard(task)
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        return None if task.cancelled() else task.result()

    async def stop(self) -> None:
        """Cancel what runs, and return when it has ended."""
        self.stopped = True
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
