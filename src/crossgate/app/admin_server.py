"""The server of the admin API, on the control plane's own event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from crossgate.net.address import HostPort

_GRACE_SECONDS: Final = 2
_MOST_CONNECTIONS: Final = 512


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the gateway, and says when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serves = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so when it is done."""
        await super().startup(sockets)
        self.serves.set()


@asynccontextmanager
async def serving(app: ASGIApp, bound: socket.socket) -> AsyncIterator[HostPort]:
    """Serve the API on the bound socket for as long as the context lasts."""
    server = _Server(
        uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            # The address of a client is what the socket says: anybody can write X-Forwarded-For.
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )
    host, port = bound.getsockname()[:2]
    task = asyncio.create_task(server.serve(sockets=[bound]))
    started = asyncio.create_task(server.serves.wait())
    try:
        await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
        yield HostPort(host, port)
    finally:
        started.cancel()
        server.should_exit = True
        await task
