"""Leaves requests that can take long to worker processes, and commits the changes that they prepared.

Parsing, linting, planning and explaining hold the interpreter's lock: in a thread, they would delay the event
loop, which serves xDS too. A worker runs the same route on a copy of the catalogue. A write is prepared there
on one revision, together with its response, and committed here if that revision is still the newest. What the
caller may change is checked by the worker's route, and here again: workers parse what strangers send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from crossgate.admin.auth import caller_of
from crossgate.admin.context import AdminContext
from crossgate.admin.errors import RoleInsufficient, refusal
from crossgate.admin.workers import NeedsWorkerError, Recorded, WorkerRequest, WorkRefused
from crossgate.diagnostics import Diagnostic
from crossgate.service.errors import BaseMoved, ServiceError
from crossgate.service.permission import Role

_TRIES: Final = 5


async def answer_by_worker(request: Request, error: Exception) -> Response:
    """The response of a worker to a request that needs one; the worker ends if the client disconnects."""
    read = error.read if isinstance(error, NeedsWorkerError) else None
    context: AdminContext = request.app.state.context
    job = _job(request, await request.body(), context.nodes.revisions())
    work = asyncio.create_task(_answer(context, request, job, read))
    gone = asyncio.create_task(_wait_until_gone(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            return Response(status_code=HTTPStatus.NO_CONTENT)  # no client reads it
        return work.result()
    except ServiceError as refused:
        return refusal(refused)
    finally:
        work.cancel()
        gone.cancel()
        await asyncio.gather(work, gone, return_exceptions=True)


async def _wait_until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _job(request: Request, body: bytes, running: Mapping[str, int | None]) -> WorkerRequest:
    scope = request.scope
    return WorkerRequest(
        method=scope["method"],
        path=scope["path"],
        raw_path=scope["raw_path"],
        query=scope["query_string"],
        # The token was authenticated; its secret stays here.
        headers=tuple(one for one in scope["headers"] if one[0] != b"authorization"),
        state=dict(scope["state"]),
        body=body,
        running=running,
    )


async def _answer(
    context: AdminContext, request: Request, job: WorkerRequest, read: Callable[[], Recorded] | None
) -> Response:
    workers, caller = context.workers, caller_of(request)
    assert workers is not None  # noqa: S101 - the routes raise NeedsWorkerError only if there are some
    preferred = caller.role is not Role.VIEWER
    for _ in range(_TRIES):
        answer = await workers.answer(job, caller.name, preferred=preferred, read=read)
        checks = await run_in_threadpool(context.service.find_checks, answer.unchecked)
        if checks != job.checks:
            job = replace(job, checks=checks)
            continue
        try:
            if answer.proposal is not None:
                if not caller.role.includes(Role.EDITOR):
                    raise RoleInsufficient(Role.EDITOR, caller)
                await run_in_threadpool(
                    context.service.commit_prepared, answer.proposal, answer.base, caller.permission
                )
        except BaseMoved:
            continue
        response = Response(answer.body, answer.status)
        response.raw_headers = list(answer.headers)
        return response
    raise WorkRefused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        Diagnostic("head-moves", "other changes were stored while this one was prepared", "Retry"),
    )
