"""A real admin API for tests: uvicorn on a loopback port, over any store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from crossgate.admin.context import Nodes, NoNodes
from crossgate.app.admin_listener import bind_admin_socket
from crossgate.app.admin_server import serve_admin_api
from crossgate.net.address import HostPort
from crossgate.service.ports import CatalogueStore
from crossgate.service.tokens import Role, Tokens, TokenStore

_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class AdminApi:
    """A running admin API with a client for each role."""

    url: str
    admin: httpx.Client
    editor: httpx.Client
    viewer: httpx.Client
    tokens: Tokens

    def client(self, secret: str = "") -> httpx.Client:
        """Another client; without a secret it sends no token."""
        return client_of(self.url, secret)


def client_of(url: str, secret: str = "", socket: Path | None = None) -> httpx.Client:
    """A client of the API at the URL, over a Unix socket if one is given."""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    transport = httpx.HTTPTransport(uds=str(socket)) if socket else None
    return httpx.Client(base_url=url, headers=headers, timeout=_SECONDS, trust_env=False, transport=transport)


@contextmanager
def running_admin_api(
    store: CatalogueStore, token_store: TokenStore, nodes: Nodes | None = None
) -> Iterator[AdminApi]:
    """Serve the API on a free port within the context."""
    tokens = Tokens(token_store)
    started: Future[str] = Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        bound = bind_admin_socket(HostPort("127.0.0.1", 0))
        async with serve_admin_api(bound, (), store, tokens, nodes or NoNodes()) as address:
            started.set_result(f"http://{address}")
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()], daemon=True)
    thread.start()
    url = started.result(_SECONDS)
    secrets = {role: tokens.create(f"test-{role.value}", role)[0] for role in Role}
    clients = {role: client_of(url, secret) for role, secret in secrets.items()}
    try:
        yield AdminApi(url, clients[Role.ADMIN], clients[Role.EDITOR], clients[Role.VIEWER], tokens)
    finally:
        for client in clients.values():
            client.close()
        loop.call_soon_threadsafe(stop.set)
        thread.join(_SECONDS)
        assert not thread.is_alive()
        loop.close()
