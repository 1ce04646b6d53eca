"""Server-sent events of refusals and statistics, over real connections."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import Request
from starlette.types import Message, Scope
from tests.admin_api import AdminApi, Nodes, running_admin_api
from tests.refusals import Collected, batch, delta, group_key, hour_of, now, series
from tests.reported_nodes import ReportedNodes, enforcing, lagging
from tests.unit.admin.entries import create_pets

from crossgate.admin.context import AdminContext
from crossgate.admin.event_streams import StreamLimits, Topic
from crossgate.admin.telemetry_feeds import event_stream, event_streams
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.pending_refusals import NothingRecent
from crossgate.service.permission import Role
from crossgate.service.refusal_service import RefusalService
from crossgate.service.sessions import InMemorySessionStore, Sessions
from crossgate.service.tokens import Tokens
from crossgate.store import Store

SHOP, SERVER = group_key(), group_key("server-level")
LIMITS = StreamLimits(
    clients=6, clients_of_token=4, queue=5, heartbeat=0.2, interval=0.02, poll=0.1, share=0.9
)


class Events:
    """The events of one stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()

    def next(self) -> tuple[str, Any]:
        """Type and data of the next event; comments have the type of an empty string."""
        kind, data, lines = "", "", 0
        for line in self._lines:
            name, _, value = line.partition(": ")
            if not line:
                if lines:
                    return kind, json.loads(data) if data else None
            elif name in ("event", "id", "data"):
                lines += 1
                kind = value if name == "event" else kind
                data = value if name == "data" else data
                self.id = value if name == "id" else getattr(self, "id", "")
            elif not name:
                return "", value
        return "closed", None

    def event(self) -> tuple[str, Any]:
        """The next event that is not a comment."""
        while (found := self.next())[0] == "":
            pass
        return found


@pytest.fixture
def collected() -> Collected:
    return Collected()


@pytest.fixture
def telemetry() -> InMemoryTelemetryStore:
    return InMemoryTelemetryStore()


@pytest.fixture
def api(store: Store, telemetry: InMemoryTelemetryStore, collected: Collected) -> Iterator[AdminApi]:
    with running_admin_api(
        store.catalogue, store.tokens, telemetry=telemetry, recent=collected, streams=LIMITS
    ) as running:
        create_pets(running.editor, "https://app.example.com")
        yield running


@contextmanager
def stream(client: httpx.Client, path: str = "/v1/refusals/events", **headers: str) -> Iterator[Events]:
    with client.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        events = Events(answer)
        assert events.next() == ("", "connected")
        yield events


def test_a_group_is_sent_when_it_changes(api: AdminApi, collected: Collected) -> None:
    with stream(api.viewer) as events:
        collected.report(delta(SHOP, 3))
        kind, body = events.event()
        assert (kind, body["id"], body["count"], body["state"]) == ("refusal", SHOP.id, 3, "open")
        assert body == api.viewer.get("/v1/refusals").json()["items"][0]
        collected.report(delta(SHOP, 4))
        assert events.event()[1]["count"] == 7


def test_a_decision_about_a_group_is_sent(api: AdminApi, telemetry: InMemoryTelemetryStore) -> None:
    old = delta(SHOP, 3, ago=3600)
    telemetry.add_telemetry(batch(old))
    with stream(api.viewer) as events:
        answer = api.editor.post(f"/v1/refusals/{SHOP.id}/dismiss", json={"reason": "bot"})
        assert answer.status_code == 200
        kind, body = events.event()
        assert (kind, body["state"], body["decision"]["reason"]) == ("refusal", "dismissed", "bot")


def test_heartbeats_keep_the_connection_open(api: AdminApi) -> None:
    with stream(api.viewer) as events:
        assert [events.next() for _ in range(2)] == [("", "heartbeat")] * 2


def test_filters_and_limits_of_tokens_hold(api: AdminApi, collected: Collected) -> None:
    secret, _ = api.tokens.create("pets", Role.VIEWER, apis=["pets"])
    other = group_key(origin="https://other.example")
    with (
        api.client(secret) as limited,
        stream(limited) as limited_events,
        stream(api.viewer, "/v1/refusals/events?origin=other") as filtered,
        stream(api.viewer, "/v1/refusals/events?api=server-level") as of_server,
    ):
        collected.report(delta(SERVER, 9), delta(other, 2))
        assert limited_events.event()[1]["id"] == other.id
        assert filtered.event()[1]["id"] == other.id
        assert of_server.event()[1]["id"] == SERVER.id


def test_a_client_that_returns_gets_what_it_missed(api: AdminApi, collected: Collected) -> None:
    with stream(api.viewer) as events:
        collected.report(delta(SHOP, 1))
        events.event()
        seen = events.id
    other = group_key(origin="https://other.example")
    collected.report(delta(other, 1))
    with stream(api.viewer, **{"Last-Event-ID": seen}) as events:
        assert {events.event()[1]["id"], events.event()[1]["id"]} == {SHOP.id, other.id}
    with stream(api.viewer, **{"Last-Event-ID": "x" * 5000}) as events:
        assert events.next() == ("", "heartbeat")


def test_a_full_queue_drops_the_oldest_and_says_so(api: AdminApi, collected: Collected) -> None:
    groups = [delta(group_key(origin=f"https://n{number}.example")) for number in range(12)]
    with stream(api.viewer) as events:
        collected.report(*groups)
        assert events.event() == ("dropped", {"dropped": 7})
        assert {events.event()[0] for _ in range(5)} == {"refusal"}


@pytest.mark.parametrize("why", ["token-revoked", "token-expired"])
def test_a_stream_ends_with_its_token(api: AdminApi, why: str) -> None:
    lifetime = timedelta(seconds=1) if why == "token-expired" else None
    secret, _ = api.tokens.create("short", Role.VIEWER, lifetime)
    with api.client(secret) as client, stream(client) as events:
        if why == "token-revoked":
            assert api.admin.delete("/v1/tokens/short").status_code == 200
        assert events.event() == ("end", {"code": why})
        assert events.next()[0] == "closed"


def test_the_number_of_streams_is_bounded(api: AdminApi, collected: Collected) -> None:
    with ExitStack() as stack:
        for _ in range(LIMITS.clients_of_token):
            stack.enter_context(stream(api.viewer))
        refused = api.viewer.get("/v1/refusals/events")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert refused.json()["type"] == "urn:crossgate:problem:too-many-streams"
        for _ in range(LIMITS.clients - LIMITS.clients_of_token):
            stack.enter_context(stream(api.editor))
        assert api.admin.get("/v1/stats/events").status_code == 503
    # Those that went away make room.
    deadline = time.monotonic() + 30
    while api.viewer.get("/v1/refusals").status_code != 200 or time.monotonic() < deadline:
        try:
            with stream(api.admin) as events:
                collected.report(delta(SHOP, 1))
                assert events.event()[1]["id"] == SHOP.id
                return
        except AssertionError:
            time.sleep(0.05)
    pytest.fail("no room after the streams were closed")


def test_a_client_that_leaves_before_the_first_event_gives_its_place_back(
    store: Store, telemetry: InMemoryTelemetryStore
) -> None:
    tokens = Tokens(store.tokens)
    _, token = tokens.create("hasty", Role.VIEWER)

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def stall(_: Message) -> None:
        await asyncio.Event().wait()  # the connection is full of an earlier response

    async def leave_at_once() -> int:
        service = CatalogueService(store.catalogue)
        refusals = RefusalService(service, telemetry, NothingRecent())
        streams = event_streams(refusals, Nodes(), tokens, LIMITS)
        context = AdminContext(
            service, tokens, Nodes(), refusals, Sessions(InMemorySessionStore(), tokens), streams=streams
        )
        # Before version 2.4 of the protocol, as uvicorn speaks it, the response is cancelled by a disconnect.
        scope: Scope = {"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.3"}}
        response = event_stream(Request(scope), context, [Topic.REFUSAL], token, lambda _: True)
        await response(scope, gone, stall)
        return streams.clients

    assert asyncio.run(leave_at_once()) == 0


def test_a_reader_that_stalls_delays_nobody(api: AdminApi, collected: Collected) -> None:
    url = httpx.URL(api.url)
    with socket.create_connection((str(url.host), url.port or 80)) as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        head = f"GET /v1/refusals/events HTTP/1.1\r\nHost: {url.host}:{url.port}\r\nAuthorization: "
        stalled.sendall((head + api.viewer.headers["Authorization"] + "\r\n\r\n").encode())
        with stream(api.viewer) as events:
            for number in range(60):
                collected.groups.clear()
                collected.report(delta(group_key(origin=f"https://{number}.{'x' * 200}.example"), 1))
                assert events.event()[1]["origin"].startswith(f"https://{number}.")
        assert api.viewer.get("/v1/refusals").status_code == 200


def test_statistics_of_the_hour_are_sent(api: AdminApi, collected: Collected) -> None:
    with stream(api.viewer, "/v1/stats/events?api=pets/1.0") as events:
        hour = hour_of(now())
        collected.decisions = {(hour, series()): 41, (hour, series("stock/2")): 1}
        collected.observers.notify(None)
        kind, body = events.event()
        assert (kind, body["api"], body["reason"], body["decisions"]) == (
            "stats",
            "pets/1.0",
            "origin-refused",
            41,
        )
        assert body["hour"].startswith(hour.isoformat()[:13])


def test_streams_need_a_token_and_known_parameters(api: AdminApi) -> None:
    with api.client() as nobody:
        assert nobody.get("/v1/refusals/events").status_code == 401
    assert api.viewer.get("/v1/refusals/events?sort=x").status_code == 422
    assert api.viewer.get("/v1/stats/events?origin=x").status_code == 422


def test_the_server_stops_while_clients_are_connected(
    store: Store, telemetry: InMemoryTelemetryStore
) -> None:
    with ExitStack() as clients:
        with running_admin_api(store.catalogue, store.tokens, telemetry=telemetry) as running:
            client = clients.enter_context(httpx.Client(base_url=running.url, trust_env=False, timeout=30))
            client.headers["Authorization"] = running.viewer.headers["Authorization"]
            events = clients.enter_context(stream(client))
        assert events.event() == ("end", {"code": "stopping"})


def test_one_stream_of_several_topics(store: Store) -> None:
    nodes = ReportedNodes(enforcing("n1", 0))
    with (
        running_admin_api(store.catalogue, store.tokens, nodes=nodes, streams=LIMITS) as api,
        api.viewer.stream("GET", "/v1/events", params={"topic": ["node", "revision"]}) as answer,
    ):
        events = Events(answer)
        assert events.next() == ("", "connected")
        nodes.set(lagging("n1", None))
        assert events.event() == (
            "node",
            {"node": "n1", "revision": None, "state": "behind", "rejected": 0},
        )
        create_pets(api.editor, "https://app.example.com")
        assert events.event() == ("revision", {"revision": 1})
        assert not events.id or events.id.isdigit()


def test_an_unknown_topic_is_refused(api: AdminApi) -> None:
    assert api.viewer.get("/v1/events", params={"topic": "weather"}).status_code == 422
