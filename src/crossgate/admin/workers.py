"""What the routes need from worker processes, and the values that they exchange."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Protocol

from crossgate.diagnostics import Diagnostic
from crossgate.service.errors import ServiceError
from crossgate.service.objects import Difference
from crossgate.service.ports import Proposal, RecordedHistory, RecordedObject, RecordedRevision
from crossgate.service.replay import TelemetryRecords

_RETRY_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class HistoryRecords:
    """A revision, what came after it, and what was recorded of requests."""

    history: RecordedHistory
    telemetry: TelemetryRecords


Recorded = RecordedRevision | Sequence[RecordedObject] | TelemetryRecords | HistoryRecords | None
"""What a request reads of the history or of telemetry, which workers have no copy of."""


class NeedsWorkerError(Exception):
    """Raised by a route, or before it: a worker must answer the request."""

    def __init__(self, read: Callable[[], Recorded] | None = None) -> None:
        """``read`` returns what the worker needs of the history; it blocks on the database."""
        super().__init__()
        self.read = read


@dataclass(frozen=True, slots=True)
class WorkerRequest:
    """A request that has been authenticated."""

    method: str
    path: str
    raw_path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    state: dict[str, object]
    """With the caller's token."""
    body: bytes
    checks: tuple[Diagnostic, ...] = ()
    """What the check of the machine finds, which a worker cannot make."""
    recorded: Recorded = None
    running: Mapping[str, int | None] = field(default_factory=dict)
    """The revision that each node runs."""


@dataclass(frozen=True, slots=True)
class WorkerResponse:
    """The response to a request; and for a write, the change to commit before it is sent."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    base: int
    """The revision of the worker's catalogue."""
    proposal: Proposal | None = None
    unchecked: Difference = ()
    """What the check of the machine is to judge; the response holds if it finds the request's ``checks``."""


class Workers(Protocol):
    """Processes that answer requests with the same routes, on a copy of the newest catalogue."""

    async def answer(
        self,
        request: WorkerRequest,
        caller: str,
        *,
        preferred: bool,
        read: Callable[[], Recorded] | None = None,
    ) -> WorkerResponse:
        """The response. Cancelling the call ends the worker.

        ``read`` is called in a thread, when it is the caller's turn, for the request's ``recorded``.
        One caller's requests run one after another; those of preferred callers are not delayed by others.

        Raises:
            WorkRefused: there is none.
            ServiceError: ``read`` raises it.

        """
        ...


class WorkRefused(ServiceError):
    """No worker answered the request: too many wait, or it takes too much; nothing was changed."""

    def __init__(self, status: HTTPStatus, diagnostic: Diagnostic) -> None:
        super().__init__([diagnostic])
        self.status = status
        self.retry_seconds = None if status is HTTPStatus.UNPROCESSABLE_ENTITY else _RETRY_SECONDS
