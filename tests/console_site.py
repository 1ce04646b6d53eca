"""The console on loopback over a seeded SQLite store: data like that of a small company."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from tests.admin_api import AdminApi, running_admin_api
from tests.telemetry import counted, group, group_key, let_in, refused

from crossgate.admin.context import Nodes as AdminNodes
from crossgate.admin.event_streams import StreamLimits
from crossgate.catalogue.document import load_document, read_document
from crossgate.compiler.route_names import DecisionSeries
from crossgate.console.oidc.options import OidcOptions
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import ReplaceAll
from crossgate.service.file_store import FileStore
from crossgate.service.permission import Role
from crossgate.service.ports import RecentTelemetry, TelemetryStore
from crossgate.service.refusals import AllowedDelta, AllowedKey, SeenIn
from crossgate.service.sessions import InMemorySessionStore, Sessions
from crossgate.service.tokens import InMemoryTokenStore, Tokens
from crossgate.store.location import SqliteDirectory
from crossgate.store.open import Store, open_store

SITE = """\
gateway:
  listen: 127.0.0.1:8080
  public_origins: [https://api.example.com]
apis:
  - name: petstore
    version: "1.0"
    type: rest
    native: http://pets.internal:8080/v2
    cors:
      allowed_origins:
        - https://app.example.com
        - https://shop.example.com
        - https://*.example.org
        - regex: 'https://pr-[0-9]+\\.example\\.com'
        - http://kiosk.example.com
      allowed_methods: [GET, POST, PUT, HEAD]
      allow_headers: [Content-Type, X-Trace]
      expose_headers: [ETag, X-Total, Content-Type]
      allow_credentials: true
      max_age: 86400
    lint:
      allow:
        - {code: http-origin, entry: http://kiosk.example.com, reason: the kiosk has no certificate}
  - name: orders
    version: "2.1"
    type: rest
    native: http://orders.internal:8080
    cors:
      allowed_origins: [https://shop.example.com, https://admin.example.com]
      allowed_methods: [GET, POST]
      allow_headers: [Content-Type]
  - name: payments
    version: "3.0"
    type: rest
    native: http://payments.internal:8080
    cors:
      allowed_origins: [https://shop.example.com]
      allowed_methods: [GET, POST]
      allow_headers: [Content-Type]
  - name: reports
    version: "1.0"
    type: rest
    native: http://reports.internal:8080
    cors:
      allowed_origins: [https://admin.example.com]
      allowed_methods: [GET]
      mode: observe
  - name: parcels
    version: "1.0"
    type: rest
    native: http://parcels.internal:8080
applications:
  - name: storefront
    javascript_origins: [https://store.example.net, https://m.example.net]
    apis: [petstore/1.0, orders/2.1, payments/3.0]
  - name: partner-portal
    javascript_origins: [https://portal.example.org]
    apis: [petstore/1.0]
  - name: kiosk
    javascript_origins: [https://kiosk.example.com]
    apis: [petstore/1.0, payments/3.0]
    suspended: true
"""


_REFUSED = (
    # origin, API, reason, method, headers, requests, clients, seconds ago
    (
        "https://pr-417.preview.example.com",
        "petstore/1.0",
        "origin-refused",
        "PUT",
        ("content-type", "x-trace"),
        1204,
        61,
        12,
    ),
    ("https://pr-398.preview.example.com", "petstore/1.0", "origin-refused", "GET", (), 842, 44, 20),
    ("https://app.example.com", "petstore/1.0", "method-refused", "PATCH", ("content-type",), 214, 23, 41),
    ("http://shop.example.com", "orders/2.1", "origin-refused", "POST", (), 120, 17, 120),
    ("https://shop.example.com:8443", "orders/2.1", "origin-refused", "GET", (), 66, 11, 130),
    ("https://admin.example.com", "orders/2.1", "header-refused", "GET", ("x-request-id",), 45, 9, 180),
    ("https://storefront-git-main-acme.vercel.app", "petstore/1.0", "origin-refused", "GET", (), 30, 6, 300),
    ("https://shop.exarnple.com", "payments/3.0", "origin-refused", "POST", (), 12, 4, 480),
    ("null", "orders/2.1", "origin-refused", "POST", (), 9, 3, 660),
    ("https://app.example.com.evil.net", "petstore/1.0", "origin-refused", "GET", (), 5, 2, 1560),
    ("http://localhost:5173", "payments/3.0", "origin-refused", "GET", (), 4, 2, 2340),
    (
        "chrome-extension://mhjfbmdgcfjbbpaeojofohoefgiehjai",
        "orders/2.1",
        "origin-refused",
        "GET",
        (),
        2,
        1,
        3120,
    ),
    (
        "https://\u202emoc.elpmaxe\t<img src=x onerror=alert(1)>",
        "orders/2.1",
        "origin-refused",
        "GET",
        (),
        1,
        1,
        3300,
    ),
)
_ALLOWED = (
    ("https://app.example.com", "petstore/1.0", 8100, 1),
    ("http://kiosk.example.com", "petstore/1.0", 9, 7200),
    ("https://store.example.net", "petstore/1.0", 900, 60),
    ("https://shop.example.com", "orders/2.1", 3100, 4),
)


@dataclass(frozen=True, slots=True)
class Site:
    """The running console."""

    api: AdminApi
    url: str
    sessions: Sessions
    stack: ExitStack
    """Closes the clients."""

    def cookie(self, role: Role) -> dict[str, str]:
        """The session cookie of a caller with that role, as Playwright wants it."""
        token = next(one for one in self.api.tokens.all() if one.name == f"test-{role.value}")
        secret, _ = self.sessions.open(token)
        return {"name": "crossgate-session", "value": secret, "url": self.url}

    def client(self, role: Role = Role.ADMIN) -> httpx.Client:
        """A browser without scripts, signed in; it follows no redirects."""
        cookie = self.cookie(role)
        client = httpx.Client(
            base_url=self.url,
            cookies={cookie["name"]: cookie["value"]},
            headers={"Origin": self.url},
            timeout=30,
            trust_env=False,
        )
        self.stack.callback(client.close)
        return client


@contextmanager
def running_site(
    directory: Path,
    document: str = SITE,
    *,
    nodes: AdminNodes | None = None,
    recent: RecentTelemetry | None = None,
    streams: StreamLimits | None = None,
    oidc: OidcOptions | None = None,
    port: int = 0,
) -> Iterator[Site]:
    """Serve the console over a new store with the document, as revision 1."""
    reading = read_document(document)
    assert reading.catalogue is not None, reading.diagnostics
    with open_store(SqliteDirectory(directory)) as store:
        service = CatalogueService(store.catalogue, linted=True)
        service.change([ReplaceAll(reading.catalogue)], author="web-team", message="Begin")
        seed_telemetry(store.telemetry)
        with serving(store, nodes=nodes, recent=recent, streams=streams, oidc=oidc, port=port) as site:
            yield site


@contextmanager
def running_file(file: Path) -> Iterator[Site]:
    """The console of a gateway that runs the file."""
    reading = load_document(file)
    assert reading.catalogue is not None, reading.diagnostics
    tokens = InMemoryTokenStore()
    sessions = Sessions(InMemorySessionStore(), Tokens(tokens))
    store = FileStore(str(file), reading.catalogue)
    with ExitStack() as stack, running_admin_api(store, tokens, sessions=sessions) as api:
        yield Site(api, api.url.replace("127.0.0.1", "localhost"), sessions, stack)


@contextmanager
def serving(
    store: Store,
    *,
    nodes: AdminNodes | None = None,
    recent: RecentTelemetry | None = None,
    streams: StreamLimits | None = None,
    oidc: OidcOptions | None = None,
    port: int = 0,
) -> Iterator[Site]:
    """Serve the console over an open store."""
    sessions = Sessions(store.sessions, Tokens(store.tokens))
    with (
        ExitStack() as stack,
        running_admin_api(
            store.catalogue,
            store.tokens,
            telemetry=store.telemetry,
            recent=recent,
            sessions=sessions,
            nodes=nodes,
            streams=streams,
            oidc=oidc,
            port=port,
        ) as api,
    ):
        yield Site(api, api.url.replace("127.0.0.1", "localhost"), sessions, stack)


def seed_telemetry(store: TelemetryStore, now: datetime | None = None) -> None:
    """Store what the gateway refused and allowed within the last hour."""
    now = now or datetime.now(UTC)
    hour = now.replace(minute=0, second=0, microsecond=0)
    store.client_key(now)
    counts: dict[DecisionSeries, int] = {}
    for origin, api, reason, method, headers, count, clients, seconds in _REFUSED:
        key = group_key(origin, api, reason=reason, method=method, headers=headers)
        at = now - timedelta(seconds=seconds)
        agents = ("Chrome", "Safari", "Firefox")[: min(3, clients)]
        seen = SeenIn(path=f"{_endpoint(api)}/pets/*", user_agents=agents, fetch_modes=("cors",))
        store.add_telemetry(refused(group(key, count, at, range(clients), seen)))
        series = DecisionSeries(api, _endpoint(api), "preflight", reason)
        counts[series] = counts.get(series, 0) + count
    for origin, api, count, seconds in _ALLOWED:
        store.add_telemetry(
            let_in(
                AllowedDelta(
                    AllowedKey(api, origin, True, "GET", ()), count, now - timedelta(seconds=seconds)
                )
            )
        )
        series = DecisionSeries(api, _endpoint(api), "cors-request", "allowed")
        counts[series] = counts.get(series, 0) + count
    store.add_telemetry(counted(counts, hour=hour))


def _endpoint(api: str) -> str:
    return f"/gateway/{api}"
