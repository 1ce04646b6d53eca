"""The workers of the admin API: hands them requests and the catalogue, and words their failures."""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
from collections.abc import Callable, Iterable
from dataclasses import astuple, replace
from http import HTTPStatus
from pathlib import Path
from typing import Final

import crossgate
from crossgate.admin.workers import Recorded, WorkerRequest, WorkerResponse, WorkRefused
from crossgate.app.catalogue_copy import CatalogueFeed
from crossgate.diagnostics import Diagnostic
from crossgate.service.ports import CatalogueStore
from crossgate.workers.budget import WorkBudget
from crossgate.workers.fair_queue import FairQueue, QueueFullError
from crossgate.workers.frames import WorkerEnd, WorkFailedError
from crossgate.workers.pool import WorkerPool

# -P: no module of the current folder is imported.
_COMMAND: Final = (sys.executable, "-P", "-m", "crossgate.app.admin_worker_process")
_SLOTS: Final = max(2, len(os.sched_getaffinity(0)))
_RESERVED: Final = 2
"""Slots that viewers leave to editors and admins."""


class CodeReplacedError(Exception):
    """A process that starts now would load other code than this one, and could not read its requests."""


def _code_state() -> frozenset[tuple[str, int, int]]:
    """The files of the package with their sizes and times: another value if one was replaced."""
    files = [(path, path.stat()) for path in Path(crossgate.__file__).parent.rglob("*.py")]
    return frozenset((str(path), found.st_size, found.st_mtime_ns) for path, found in files)


class AdminWorkerPool:
    """The processes, which start with the first request, and the catalogue that they have a copy of."""

    def __init__(self, budget: WorkBudget | None = None) -> None:
        self.budget = budget or WorkBudget()
        self._feed = CatalogueFeed()
        self._code = _code_state()
        command = (*_COMMAND, *map(str, astuple(self.budget)))
        self._processes = WorkerPool(command, self._check_code)

    async def run(self, job: bytes, store: CatalogueStore) -> bytes:
        """The answer of a worker with the head of the store.

        Raises:
            WorkFailedError: there is none.
            CodeReplacedError: no worker can start any more.

        """

        def updates(new: bool) -> Iterable[bytes]:  # noqa: FBT001 - the pool's callback
            return self._feed.updates(store.head, new=new)

        return await self._processes.run(job, updates)

    def _check_code(self) -> None:
        try:
            unchanged = _code_state() == self._code
        except OSError:  # a file vanished while they were listed
            unchanged = False
        if not unchanged:
            raise CodeReplacedError

    def close(self) -> None:
        """End the processes; blocks."""
        self._processes.close()


class AdminWorkers:
    """Implements :class:`crossgate.admin.workers.Workers`."""

    def __init__(self, store: CatalogueStore, pool: AdminWorkerPool) -> None:
        self._store = store
        self._pool = pool
        self._queue = FairQueue(_SLOTS, _RESERVED)

    async def answer(
        self,
        request: WorkerRequest,
        caller: str,
        *,
        preferred: bool,
        read: Callable[[], Recorded] | None = None,
    ) -> WorkerResponse:
        """The response of a worker, once it is the caller's turn; raises WorkRefused if there is none."""

        def job() -> bytes:
            complete = request if read is None else replace(request, recorded=read())
            return pickle.dumps((complete, preferred))

        try:
            async with self._queue.slot(caller, preferred=preferred):
                answer = await self._pool.run(await asyncio.to_thread(job), self._store)
        except QueueFullError as full:
            raise _queue_full(full) from None
        except CodeReplacedError:
            raise _code_replaced() from None
        except WorkFailedError as failed:
            raise _failed(failed, self._pool.budget) from None
        response: WorkerResponse = await asyncio.to_thread(pickle.loads, answer)
        return response


def _queue_full(full: QueueFullError) -> WorkRefused:
    if full.of_caller:
        return WorkRefused(
            HTTPStatus.TOO_MANY_REQUESTS,
            Diagnostic(
                "token-requests", "too many requests of this token are waiting", "Send one after another"
            ),
        )
    return WorkRefused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        Diagnostic("workers-busy", "too many requests are waiting for a worker", "Retry later"),
    )


def _code_replaced() -> WorkRefused:
    return WorkRefused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        Diagnostic(
            "code-replaced", "the code of the gateway was replaced after its start", "Restart the gateway"
        ),
    )


def _failed(failed: WorkFailedError, budget: WorkBudget) -> WorkRefused:
    match failed.end:
        case WorkerEnd.CPU:
            return WorkRefused(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                Diagnostic(
                    "request-time",
                    f"the request takes more than {budget.cpu_seconds:g} s of processor time",
                    "Send it in parts, and simplify regular expressions: name hosts instead of character"
                    " classes",
                    found=failed.output.decode("utf-8", "replace") or None,
                ),
            )
        case WorkerEnd.MEMORY:
            return WorkRefused(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                Diagnostic(
                    "request-memory",
                    f"the request takes more than {budget.memory // 2**20:,} MiB of memory",
                    "Send it in parts",
                ),
            )
        case WorkerEnd.SECONDS:
            return WorkRefused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                Diagnostic(
                    "workers-slow",
                    f"no response within {budget.seconds:g} s",
                    "Retry when the load is lower",
                ),
            )
        case _:
            return WorkRefused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                Diagnostic(
                    "worker-ended", "the worker process ended early", "Retry; see the log if it happens again"
                ),
            )
