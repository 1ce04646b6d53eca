"""Serves the admin API on the control plane's event loop.

Imported only when clients are served: FastAPI and uvicorn take half a second to load.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Final

import uvicorn

from crossgate.admin.app import admin_api
from crossgate.admin.context import AdminContext, Nodes
from crossgate.admin.event_streams import StreamLimits
from crossgate.admin.telemetry_feeds import telemetry_streams
from crossgate.app.admin_connections import AdminConnection, ConnectionLimits, ConnectionTable
from crossgate.app.admin_workers import AdminWorkerPool, AdminWorkers
from crossgate.net.address import HostPort
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.log import LogLimit
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.ports import CatalogueStore, ChangeCheck, RecentTelemetry, TelemetryStore
from crossgate.service.refusal_service import NothingRecent, RefusalService
from crossgate.service.tokens import Tokens

_SHUTDOWN_SECONDS: Final = 2
_ACCEPTED_AT_ONCE: Final = 64
"""Below half of the connections of one address. A connection is read two turns of the event loop after it was
accepted; a flood in between must not close it."""
_ACCEPT_QUEUE: Final = 1024


class _Server(uvicorn.Server):
    """A uvicorn server that handles no signals, and sets an event when it has started."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.has_started = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signals: `run_gateway` does."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then set `has_started`."""
        await super().startup(sockets)
        for bound in sockets or ():
            # asyncio has one number for the queue and for how many connections it accepts in a turn.
            bound.listen(_ACCEPT_QUEUE)
        self.has_started.set()


@asynccontextmanager
async def serve_admin_api(
    bound: socket.socket,
    host_names: Sequence[str],
    store: CatalogueStore,
    tokens: Tokens,
    nodes: Nodes,
    pool: AdminWorkerPool,
    limits: ConnectionLimits | None = None,
    check: ChangeCheck | None = None,
    telemetry: TelemetryStore | None = None,
    recent: RecentTelemetry | None = None,
    stream_limits: StreamLimits | None = None,
) -> AsyncIterator[HostPort]:
    """Serve the admin API on a bound socket for as long as the context lasts. The caller closes the pool.

    Without ``telemetry`` and ``recent``, there are no refusals.
    """
    table = ConnectionTable(ConnectionLimits() if limits is None else limits)
    connection: Any = partial(AdminConnection, table=table)
    service = CatalogueService(store, linted=True, check=check)
    refusals = RefusalService(service, telemetry or InMemoryTelemetryStore(), recent or NothingRecent())
    streams = telemetry_streams(refusals, tokens, stream_limits)
    context = AdminContext(
        service, tokens, nodes, refusals, streams=streams, workers=AdminWorkers(store, pool)
    )
    server = _Server(
        uvicorn.Config(
            admin_api(context, host_names),
            http=connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            # A client's address is the socket's: X-Forwarded-For can be forged.
            proxy_headers=False,
            server_header=False,
            backlog=_ACCEPTED_AT_ONCE,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
    )
    host, port = bound.getsockname()[:2]
    log, log_filter = logging.getLogger("uvicorn.error"), _RateLimit()
    log.addFilter(log_filter)
    serve = asyncio.create_task(server.serve(sockets=[bound]))
    started = asyncio.create_task(server.has_started.wait())
    try:
        await asyncio.wait({serve, started}, return_when=asyncio.FIRST_COMPLETED)
        yield HostPort(host, port)
    finally:
        started.cancel()
        # Streams last as long as their clients wish; the server would wait for them.
        await streams.close()
        server.should_exit = True
        await serve
        log.removeFilter(log_filter)


class _RateLimit(logging.Filter):
    """Bounds the lines of uvicorn's log: every malformed request causes one."""

    def __init__(self) -> None:
        super().__init__()
        self._limit = LogLimit()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged; it then says how many before it were not."""
        omitted = self._limit.admit()
        if omitted:
            record.msg, record.args = f"{record.getMessage()} ({omitted} lines omitted)", ()
        return omitted is not None
