"""Decisions counted, requests by id, and readiness, over REST."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.admin_api import AdminApi, running_admin_api
from tests.refusals import Collected, hour_of, now, series
from tests.unit.admin.entries import create_pets

from crossgate.compiler.route_names import UNMATCHED
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.permission import Role
from crossgate.service.ports import CounterKey, TelemetryBatch
from crossgate.service.refusals import RequestRecord, SeenIn
from crossgate.store import Store

REFUSED, ALLOWED = series(), series(reason="preflight-allowed")
STOCK, SERVER = series("stock/2"), series("server-level")


@pytest.fixture
def collected() -> Collected:
    return Collected()


@pytest.fixture
def api(store: Store, collected: Collected) -> Iterator[AdminApi]:
    telemetry = InMemoryTelemetryStore()
    with running_admin_api(store.catalogue, store.tokens, telemetry=telemetry, recent=collected) as running:
        create_pets(running.editor, "https://app.example.com")
        for hours, counts in (
            (0, {REFUSED: 13, ALLOWED: 5, STOCK: 2, SERVER: 3, UNMATCHED: 4}),
            (2, {REFUSED: 10}),
            (48, {REFUSED: 7}),
        ):
            counters = {CounterKey("n1", f"i{hours}", one): count for one, count in counts.items()}
            hour = hour_of(now() - timedelta(hours=hours))
            telemetry.add_telemetry(TelemetryBatch("cp", hour, counters))
        yield running


def items(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_decisions_of_the_last_day(api: AdminApi, collected: Collected) -> None:
    collected.decisions = {(hour_of(now()), REFUSED): 100}

    found = items(api.viewer.get("/v1/stats"))

    assert [(one["api"], one["flow"], one["reason"], one["decisions"]) for one in found] == [
        ("", "unmatched", "unmatched", 4),
        ("pets/1.0", "preflight", "origin-refused", 123),
        ("pets/1.0", "preflight", "preflight-allowed", 5),
        ("server-level", "preflight", "origin-refused", 3),
        ("stock/2", "preflight", "origin-refused", 2),
    ]
    assert found[1]["endpoint"] == "/gateway/pets/1.0"
    assert not found[1]["observed"]
    assert (found[1]["hour"], found[1]["node"]) == (None, None)


def test_periods_and_hours(api: AdminApi) -> None:
    query = {"api": "pets/1.0", "since": (now() - timedelta(hours=49)).isoformat(), "by": "hour"}
    found = items(api.viewer.get("/v1/stats", params=query))
    refused = [one for one in found if one["reason"] == "origin-refused"]
    assert [one["decisions"] for one in refused] == [7, 10, 13]
    assert [one["hour"] for one in refused] == sorted(one["hour"] for one in refused)

    query["until"] = (now() - timedelta(hours=1)).isoformat()
    query["by"] = "none"
    assert [one["decisions"] for one in items(api.viewer.get("/v1/stats", params=query))] == [17]


def test_counts_by_node(api: AdminApi, collected: Collected) -> None:
    collected.counters = {
        CounterKey("n1", "a", REFUSED): 3,
        CounterKey("n1", "b", REFUSED): 4,
        CounterKey("n2", "c", REFUSED): 1,
        CounterKey("n2", "c", STOCK): 2,
    }

    answer = api.viewer.get("/v1/stats", params={"by": "node", "api": "pets/1.0"})

    assert [(one["node"], one["decisions"]) for one in items(answer)] == [("n1", 7), ("n2", 1)]
    assert answer.json()["since"] is None


@pytest.mark.parametrize("path", ["/v1/stats", "/v1/refusals"])
@pytest.mark.parametrize("time", ["-58", "1790000000", "1e9", "yesterday"])
def test_a_time_is_a_date_and_no_number(api: AdminApi, path: str, time: str) -> None:
    assert api.viewer.get(path, params={"since": time}).status_code == 422


def test_counts_by_node_have_no_period(api: AdminApi) -> None:
    query = {"by": "node", "since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"}

    refused = api.viewer.get("/v1/stats", params=query)

    assert refused.status_code == 422
    paths = [(one["code"], one["path"]) for one in refused.json()["diagnostics"]]
    assert paths == [("period-by-node", "$.query.since"), ("period-by-node", "$.query.until")]


@pytest.mark.parametrize("by", ["none", "hour"])
def test_pages(api: AdminApi, by: str) -> None:
    query = {"by": by, "limit": "2"}
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        body = api.viewer.get("/v1/stats", params={**query, "cursor": cursor}).json()
        found += body["items"]
        cursor = body["next"]
        if cursor is None:
            break
    assert found == items(api.viewer.get("/v1/stats", params={"by": by}))
    for cursor in ("x", "WzFd", "WyIiLCIiLCIiLCIiLDEsIiJd"):
        assert api.viewer.get("/v1/stats", params={"cursor": cursor}).status_code == 422


def test_a_limited_token_sees_its_apis_only(api: AdminApi, collected: Collected) -> None:
    secret, _ = api.tokens.create("limited", Role.VIEWER, apis=["server*", "stock"])
    collected.requests["r1"] = RequestRecord("r1", now(), "n1", REFUSED, 403, "OPTIONS")
    collected.requests["r2"] = RequestRecord("r2", now(), "n1", STOCK, 403, "OPTIONS")
    collected.requests["r3"] = RequestRecord("r3", now(), "n1", UNMATCHED, 404, "GET")
    collected.counters = {CounterKey("n1", "a", REFUSED): 3, CounterKey("n1", "a", STOCK): 4}
    with api.client(secret) as client:
        assert [one["api"] for one in items(client.get("/v1/stats"))] == ["stock/2"]
        assert [one["api"] for one in items(client.get("/v1/stats", params={"by": "node"}))] == ["stock/2"]
        assert items(client.get("/v1/stats", params={"api": "pets/1.0"})) == []
        assert [client.get(f"/v1/requests/r{number}").status_code for number in (1, 2, 3)] == [404, 200, 404]
        assert client.get("/v1/apis/pets/1.0/readiness").status_code == 404


def test_a_request_by_its_id(api: AdminApi, collected: Collected) -> None:
    hostile = "https://a\x1b[31m\ud800"
    seen = SeenIn("/gateway/pets/1.0/a/b/*", ("curl",), ("cross-site",), (), ())
    collected.requests["a/b c"] = RequestRecord(
        "a/b c", now(), "n1", REFUSED, 403, "OPTIONS", hostile, "PUT", "x-one", seen
    )

    answer = api.viewer.get("/v1/requests/a%2Fb%20c")

    assert answer.status_code == 200
    assert answer.content.isascii()
    body = answer.json()
    assert (body["request_id"], body["origin"], body["request_method"]) == ("a/b c", hostile, "PUT")
    assert (body["api"], body["reason"], body["status"], body["node"]) == (
        "pets/1.0",
        "origin-refused",
        403,
        "n1",
    )
    assert body["path"] == "/gateway/pets/1.0/a/b/*"
    missing = api.viewer.get("/v1/requests/none")
    assert (missing.status_code, missing.json()["diagnostics"][0]["found"]) == (404, "none")


def test_readiness(api: AdminApi) -> None:
    body = api.viewer.get("/v1/apis/pets/1.0/readiness", params={"days": 3}).json()

    assert (body["api"], body["ready"], body["open"]) == ("pets/1.0", False, [])
    assert body["missing"]
    assert api.viewer.get("/v1/apis/none/1.0/readiness").status_code == 404
    assert api.viewer.get("/v1/apis/pets/1.0/readiness", params={"days": 0}).status_code == 422
