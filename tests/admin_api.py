"""A real admin API for tests: uvicorn on a loopback port, before whichever store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from crossgate.admin.app import admin_api
from crossgate.admin.context import AdminContext, Nodes, NoNodes
from crossgate.app.admin_listener import bind
from crossgate.app.admin_server import serving
from crossgate.net.address import HostPort
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.ports import CatalogueStore
from crossgate.service.tokens import Role, Tokens, TokenStore

_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class AdminApi:
    """One running API, and a client for each role."""

    url: str
    admin: httpx.Client
    editor: httpx.Client
    viewer: httpx.Client
    tokens: Tokens

    def client(self, secret: str = "") -> httpx.Client:
        """One more client; without a secret, a stranger."""
        return client_of(self.url, secret)


def client_of(url: str, secret: str = "", socket: Path | None = None) -> httpx.Client:
    """A client of the API there; a ``socket`` leads to it if nothing else does."""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    transport = httpx.HTTPTransport(uds=str(socket)) if socket else None
    return httpx.Client(base_url=url, headers=headers, timeout=_SECONDS, trust_env=False, transport=transport)


@contextmanager
def running_admin_api(
    store: CatalogueStore, token_store: TokenStore, nodes: Nodes | None = None
) -> Iterator[AdminApi]:
    """The API on a free port, for as long as the context lasts."""
    tokens = Tokens(token_store)
    context = AdminContext(CatalogueService(store, linted=True), tokens, nodes or NoNodes())
    started: Future[str] = Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with serving(admin_api(context), bind(HostPort("127.0.0.1", 0))) as address:
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
