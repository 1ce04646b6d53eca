"""Serves the admin API on the control plane's event loop.

Imported only when clients are served: FastAPI and uvicorn take half a second to load.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn

from crossgate.admin.app import admin_api
from crossgate.admin.context import AdminContext, Nodes
from crossgate.net.address import HostPort
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.ports import CatalogueStore
from crossgate.service.tokens import Tokens

_SHUTDOWN_SECONDS: Final = 2
_MAX_CONNECTIONS: Final = 512


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
        self.has_started.set()


@asynccontextmanager
async def serve_admin_api(
    bound: socket.socket, host_names: Sequence[str], store: CatalogueStore, tokens: Tokens, nodes: Nodes
) -> AsyncIterator[HostPort]:
    """Serve the admin API on a bound socket for as long as the context lasts."""
    context = AdminContext(CatalogueService(store, linted=True), tokens, nodes)
    server = _Server(
        uvicorn.Config(
            admin_api(context, host_names),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            # A client's address is the socket's: X-Forwarded-For can be forged.
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_MAX_CONNECTIONS,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
    )
    host, port = bound.getsockname()[:2]
    serve = asyncio.create_task(server.serve(sockets=[bound]))
    started = asyncio.create_task(server.has_started.wait())
    try:
        await asyncio.wait({serve, started}, return_when=asyncio.FIRST_COMPLETED)
        yield HostPort(host, port)
    finally:
        started.cancel()
        server.should_exit = True
        await serve
