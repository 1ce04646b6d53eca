"""Serves an ASGI application on the control plane's event loop, with limited connections.

Imported only when clients are served, as uvicorn takes time to load.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Final

import uvicorn

from crossgate.app.http_connections import ConnectionLimits, ConnectionTable, LimitedConnection
from crossgate.service.log import LogLimit

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
async def serve_http(
    bound: socket.socket, app: Any, busy: Any, limits: ConnectionLimits
) -> AsyncIterator[None]:
    """Serve the ASGI application on a bound socket for as long as the context lasts.

    ``busy`` is the application that answers while there are too many connections.
    """
    connection: Any = partial(LimitedConnection, table=ConnectionTable(limits, busy))
    server = _Server(
        uvicorn.Config(
            app,
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
    logging.getLogger("uvicorn.error").addFilter(_RATE_LIMIT)
    serve = asyncio.create_task(server.serve(sockets=[bound]))
    started = asyncio.create_task(server.has_started.wait())
    try:
        await asyncio.wait({serve, started}, return_when=asyncio.FIRST_COMPLETED)
        yield
    finally:
        started.cancel()
        server.should_exit = True
        await serve


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


_RATE_LIMIT: Final = _RateLimit()
"""One for all servers: adding it again changes nothing."""
