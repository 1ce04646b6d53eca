"""A real admin API for tests: uvicorn on a loopback port, over any store."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from crossgate.admin.context import Nodes as AdminNodes
from crossgate.admin.event_streams import StreamLimits
from crossgate.app.admin_server import serve_admin_api
from crossgate.app.admin_workers import AdminWorkerPool
from crossgate.app.http_connections import ConnectionLimits
from crossgate.app.tcp_listener import ADMIN, bind_tcp
from crossgate.console.oidc.options import OidcOptions
from crossgate.net.address import HostPort
from crossgate.service.permission import Role
from crossgate.service.ports import (
    CatalogueStore,
    ChangeCheck,
    NodeReport,
    NodeStanding,
    RecentTelemetry,
    TelemetryStore,
)
from crossgate.service.sessions import Sessions
from crossgate.service.tokens import Tokens, TokenStore

_SECONDS = 90.0
_POOL = AdminWorkerPool()
"""One for all tests: starting its process takes a second."""
atexit.register(_POOL.close)
WRITERS = 8
"""How many clients :func:`write_at_once` has."""


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


class Nodes:
    """A control plane that reports no nodes, but what they run."""

    def __init__(self, running: Mapping[str, int | None] | None = None) -> None:
        self._running = running or {}

    address = "127.0.0.1:18000"

    def reports(self) -> Sequence[NodeReport]:
        return ()

    def standings(self) -> Sequence[NodeStanding]:
        return [NodeStanding(one.node, one.revision, len(one.rejections)) for one in self.reports()]

    def watch(self, observer: Callable[[], None]) -> Callable[[], None]:
        del observer
        return lambda: None

    def retry(self, node: str, resources: Collection[tuple[str, str]]) -> int | None:
        return len(resources) if node in {one.node for one in self.reports()} else None

    def revisions(self) -> Mapping[str, int | None]:
        return self._running


def client_of(url: str, secret: str = "", socket: Path | None = None) -> httpx.Client:
    """A client of the API at the URL, over a Unix socket if one is given."""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    transport = httpx.HTTPTransport(uds=str(socket)) if socket else None
    return httpx.Client(base_url=url, headers=headers, timeout=_SECONDS, trust_env=False, transport=transport)


@contextmanager
def running_admin_api(
    store: CatalogueStore,
    token_store: TokenStore,
    limits: ConnectionLimits | None = None,
    pool: AdminWorkerPool = _POOL,
    check: ChangeCheck | None = None,
    running: Mapping[str, int | None] | None = None,
    telemetry: TelemetryStore | None = None,
    recent: RecentTelemetry | None = None,
    streams: StreamLimits | None = None,
    sessions: Sessions | None = None,
    nodes: AdminNodes | None = None,
    oidc: OidcOptions | None = None,
    port: int = 0,
) -> Iterator[AdminApi]:
    """Serve the API on a free port within the context. ``running``: the revision that each node runs."""
    tokens, reported = Tokens(token_store), nodes or Nodes(running)
    started: Future[str] = Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        bound = bind_tcp(HostPort("127.0.0.1", port), ADMIN)
        served = serve_admin_api(
            bound,
            (),
            store,
            tokens,
            reported,
            pool,
            limits,
            check,
            telemetry,
            recent,
            streams,
            sessions,
            oidc,
        )
        async with served as address:
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


def write_at_once(clients: Sequence[httpx.Client], path: str, writes: int) -> tuple[list[str], int]:
    """Add ``writes`` origins per writer to an application, in concurrent read-modify-write cycles.

    Returns the sorted origins, and how often a writer had to repeat a cycle because of 412. Any other
    response fails the test.
    """

    def write(writer: int) -> int:
        client, conflicts = clients[writer % len(clients)], 0
        for number in range(writes):
            while not _add(client, path, f"https://w{writer}-{number}.example"):
                conflicts += 1
        return conflicts

    with ThreadPoolExecutor(WRITERS) as pool:
        conflicts = sum(pool.map(write, range(WRITERS)))
    expected = [
        f"https://w{writer}-{number}.example" for writer in range(WRITERS) for number in range(writes)
    ]
    return sorted(expected), conflicts


def origins_of(client: httpx.Client, path: str) -> list[str]:
    """The application's current origins, sorted, duplicates included."""
    return sorted(client.get(path).json()["javascript_origins"])


def _add(client: httpx.Client, path: str, origin: str) -> bool:
    seen = client.get(path)
    assert seen.status_code == 200, seen.text
    body = seen.json()
    body["javascript_origins"] = [*body.get("javascript_origins", []), origin]
    answer = client.put(path, json=body, headers={"If-Match": seen.headers["ETag"]})
    assert answer.status_code in (200, 412), answer.text
    return answer.status_code == 200
