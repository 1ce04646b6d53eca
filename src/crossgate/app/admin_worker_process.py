"""The main module of the process whose forks answer requests to the admin API."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from types import FrameType
from typing import Final

from starlette.types import Message, Scope

from crossgate.admin.app import routes
from crossgate.admin.auth import token_state
from crossgate.admin.context import AdminContext
from crossgate.admin.workers import HistoryRecords, WorkerRequest, WorkerResponse
from crossgate.app.catalogue_copy import CatalogueCopy
from crossgate.app.warm_up import warm_up_linter
from crossgate.catalogue.model import Catalogue
from crossgate.diagnostics import Diagnostic
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.objects import Difference
from crossgate.service.pending_refusals import NothingRecent
from crossgate.service.permission import EVERYTHING, Role
from crossgate.service.ports import NodeReport, NodeStanding, StoredRefusals
from crossgate.service.refusal_service import RefusalService
from crossgate.service.refusals import AllowedOrigin, RefusalGroup
from crossgate.service.replay import TelemetryRecords
from crossgate.service.sessions import InMemorySessionStore, Sessions
from crossgate.service.speculative_store import SpeculativeStore
from crossgate.service.tokens import InMemoryTokenStore, Tokens
from crossgate.workers.budget import WorkBudget
from crossgate.workers.fork_server import ForkServer

_NICE, _NICE_OF_VIEWERS = 5, 10
"""The control plane and Envoy come first; then workers of editors and admins, then those of viewers."""
_ACTIVITIES: Final = (
    ("crossgate.lint", "proving what origin patterns admit"),
    ("crossgate.service.access", "comparing which origins gain or lose access"),
    ("crossgate.service.replay", "replaying recorded requests"),
    ("crossgate.catalogue.yaml", "parsing YAML"),
    ("json", "parsing JSON"),
    ("crossgate.catalogue", "reading the objects"),
    ("crossgate.policy", "reading the policies"),
    ("crossgate", "preparing the response"),
)


class _RequestedNodes:
    """The nodes, as far as the control plane has sent what they run."""

    def __init__(self) -> None:
        self.running: Mapping[str, int | None] = {}

    def reports(self) -> Sequence[NodeReport]:
        return ()  # No route that needs them is left to a worker.

    def standings(self) -> Sequence[NodeStanding]:
        return ()

    @property
    def address(self) -> str:
        return ""

    def retry(self, node: str, resources: Collection[tuple[str, str]]) -> int | None:
        del node, resources
        return None

    def watch(self, observer: Callable[[], None]) -> Callable[[], None]:
        del observer
        return lambda: None

    def revisions(self) -> Mapping[str, int | None]:
        return self.running


class _RequestedCheck:
    """A :class:`~crossgate.service.ports.ChangeCheck` that returns what the control plane has found.

    It keeps the difference, so that the control plane can look at it.
    """

    def __init__(self) -> None:
        self.found: Sequence[Diagnostic] = ()
        self.difference: Difference = ()

    def find(self, base: Catalogue, difference: Difference, /) -> Sequence[Diagnostic]:
        del base
        self.difference = difference
        return self.found


class _RequestedTelemetry(InMemoryTelemetryStore):
    """A :class:`~crossgate.service.ports.TelemetryStore` with the records that the control plane has sent."""

    records = TelemetryRecords()

    def refusals(self, *, since: datetime | None = None, api: str | None = None) -> Sequence[RefusalGroup]:
        del since, api  # those that the caller can see were sent, whatever their age
        return self.records.groups

    def all_refusals(self, known: StoredRefusals | None = None) -> StoredRefusals:
        del known
        return StoredRefusals({one.key.id: one for one in self.records.groups})

    def allowed_origins(self, *, api: str | None = None) -> Sequence[AllowedOrigin]:
        del api
        return self.records.allowed


class AdminWorkHandler:
    """Implements :class:`crossgate.workers.fork_server.WorkHandler` with the routes of the admin API."""

    def __init__(self) -> None:
        self._copy = CatalogueCopy()
        self._store = SpeculativeStore()
        self._check = _RequestedCheck()
        self._nodes = _RequestedNodes()
        service = CatalogueService(self._store, linted=True, check=self._check)
        self._telemetry = _RequestedTelemetry()
        refusals = RefusalService(service, self._telemetry, NothingRecent())
        tokens = Tokens(InMemoryTokenStore())
        # No route of sessions is left to a worker.
        sessions = Sessions(InMemorySessionStore(), tokens)
        self._context = AdminContext(service, tokens, self._nodes, refusals, sessions)
        self._routes = routes(self._context)

    def warm_up(self) -> None:
        """Load what is loaded with the first request: that takes 0.06 s, which each worker would repeat."""
        _, token = self._context.tokens.create("warm-up", Role.VIEWER)
        body = b'{"path": "/"}'
        request = WorkerRequest("POST", "/v1/explain", b"/v1/explain", b"", (), token_state(token), body)
        asyncio.run(self._respond(request))
        # The route ran in a thread, and only a process with a single thread can be forked safely.
        while threading.active_count() > 1:
            time.sleep(0.001)

    def update(self, content: bytes) -> None:
        """Take a part of a new revision."""
        if self._copy.take(content):
            self._store.head = self._copy.snapshot
            # A worker that reads all applications would copy the memory that they are in.
            _ = self._context.views.of(self._store.head.catalogue, EVERYTHING).associations
            # What a collection would traverse is also what it would copy in each worker.
            gc.freeze()

    def answer(self, job: bytes) -> bytes:
        """The pickled :class:`WorkerResponse`."""
        request, preferred = pickle.loads(job)  # noqa: S301 - from the process that started this one
        os.nice(_NICE if preferred else _NICE_OF_VIEWERS)
        return pickle.dumps(asyncio.run(self._respond(request)))

    def describe_overrun(self) -> bytes:
        """The activity of the worker, from the stacks of its threads."""
        stacks = [_modules(frame) for frame in sys._current_frames().values()]  # noqa: SLF001 - no other way
        for prefix, activity in _ACTIVITIES:
            if any(
                module == prefix or module.startswith(f"{prefix}.") for found in stacks for module in found
            ):
                return activity.encode()
        return b""

    async def _respond(self, request: WorkerRequest) -> WorkerResponse:
        _wake_for(signal.SIGPROF)
        base = self._store.head.revision
        self._check.found = request.checks
        match request.recorded:
            case TelemetryRecords() as telemetry:
                self._telemetry.records = telemetry
            case HistoryRecords(history=history, telemetry=telemetry):
                self._store.recorded, self._telemetry.records = history, telemetry
            case recorded:
                self._store.recorded = recorded
        self._nodes.running = request.running
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._routes(_scope(request), receive, send)
        return WorkerResponse(
            status=sent[0]["status"],
            headers=tuple(sent[0]["headers"]),
            body=b"".join(message.get("body", b"") for message in sent[1:]),
            base=base,
            proposal=self._store.proposal,
            unchecked=self._check.difference,
        )


def _wake_for(number: signal.Signals) -> None:
    """Let the signal's handler run although the main thread waits for a route in another thread.

    Python runs handlers in the main thread only, which the loop wakes for those signals that it handles.
    """
    handler = signal.getsignal(number)
    asyncio.get_running_loop().add_signal_handler(number, lambda: None)
    signal.signal(number, handler)


def _scope(request: WorkerRequest) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
        "method": request.method,
        "path": request.path,
        "raw_path": request.raw_path,
        "query_string": request.query,
        "headers": list(request.headers),
        "state": request.state,
    }


def _modules(frame: FrameType | None) -> set[str]:
    found = set()
    while frame is not None:
        found.add(str(frame.f_globals.get("__name__")))
        frame = frame.f_back
    # This module, and what each request passes through.
    return found - {__name__, "crossgate.workers.fork_server"}


def main() -> None:
    """Serve the control socket whose descriptor is the last argument; before it, the fields of the budget."""
    cpu_seconds, seconds, memory, descriptor = sys.argv[1:]
    budget = WorkBudget(float(cpu_seconds), float(seconds), int(memory))
    # Ctrl-C in a terminal reaches every process; this one ends with the control socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    handler = AdminWorkHandler()
    handler.warm_up()
    warm_up_linter()
    # That enabled the collector. Workers live too short for garbage to matter.
    gc.disable()
    with socket.socket(fileno=int(descriptor)) as control:
        ForkServer(control, handler, budget).run()


if __name__ == "__main__":
    main()
