"""What lists and an API's page say of recorded traffic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.admin_api import AdminApi, running_admin_api
from tests.refusals import Collected, batch, delta, group_key, hour_of, now, series
from tests.unit.admin.entries import NEW, PETS, api_entry, policy_entry

from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.permission import Role
from crossgate.service.ports import CounterKey
from crossgate.service.refusals import AllowedDelta, AllowedKey
from crossgate.store import Store


@pytest.fixture
def recent() -> Collected:
    return Collected()


@pytest.fixture
def telemetry() -> InMemoryTelemetryStore:
    return InMemoryTelemetryStore()


@pytest.fixture
def api(store: Store, telemetry: InMemoryTelemetryStore, recent: Collected) -> Iterator[AdminApi]:
    with running_admin_api(store.catalogue, store.tokens, telemetry=telemetry, recent=recent) as running:
        origins = [
            "https://a.example.com",
            "https://b.example.com",
            "https://*.example.org",
            {"regex": r"https://pr-[0-9]+\.example\.com"},
        ]
        cors = {"allowed_origins": origins, "allowed_methods": ["GET"], "allow_headers": ["X-Trace"]}
        assert running.editor.put(PETS, json=api_entry(cors=cors), headers=NEW).status_code == 201
        body = api_entry(cors=policy_entry("https://a.example.com"))
        assert running.editor.put("/v1/apis/cats/2", json=body, headers=NEW).status_code == 201
        yield running


def test_a_list_counts_what_was_refused_in_a_day(
    api: AdminApi, telemetry: InMemoryTelemetryStore, recent: Collected
) -> None:
    counters = {
        CounterKey("n", "1", series()): 40,
        CounterKey("n", "1", series(reason="method-refused")): 2,
        CounterKey("n", "1", series(reason="preflight-allowed")): 1000,
        CounterKey("n", "1", series()._replace(observed=True)): 5,
    }
    telemetry.add_telemetry(batch(counters=counters))
    old = replace(batch(counters={CounterKey("n", "1", series("cats/2")): 9}), hour=now() - timedelta(days=3))
    telemetry.add_telemetry(old)
    recent.decisions[hour_of(now()), series("cats/2")] = 3
    found = api.viewer.get("/v1/apis", params={"counts": True, "q": "has:policy"}).json()
    assert found["total"] == 2
    assert [(one["key"], one["refused"], one["observed"]) for one in found["items"]] == [
        ("cats/2", 3, 0),
        ("pets/1.0", 42, 5),
    ]
    assert "refused" not in api.viewer.get("/v1/apis").json()["items"][0]


def test_pages_of_a_search_follow_each_other(api: AdminApi) -> None:
    first = api.viewer.get("/v1/apis", params={"q": "127.0.0.1", "limit": 1}).json()
    assert [one["key"] for one in first["items"]] == ["cats/2"]
    second = api.viewer.get("/v1/apis", params={"q": "127.0.0.1", "limit": 1, "cursor": first["next"]}).json()
    assert ([one["key"] for one in second["items"]], second["next"]) == (["pets/1.0"], None)
    refused = api.viewer.get("/v1/apis", params={"q": "mode:observed"})
    assert (refused.status_code, refused.json()["diagnostics"][0]["path"]) == (422, "$.query.q")


def test_traffic_says_which_entries_match_and_what_is_refused(
    api: AdminApi, telemetry: InMemoryTelemetryStore
) -> None:
    passed = [
        AllowedDelta(AllowedKey("pets/1.0", origin, preflight=True, method="GET"), 1.0, at)
        for origin, at in (
            ("https://a.example.com", now()),
            ("https://x.example.org", now() - timedelta(days=2)),
        )
    ]
    telemetry.add_telemetry(
        replace(
            batch(
                delta(
                    group_key(reason="method-refused", method="PATCH", origin="https://a.example.com"), 214
                ),
                delta(group_key(reason="method-refused", method="PUT", origin="https://a.example.com"), 3),
                delta(group_key(reason="header-refused", headers=("x-trace", "x-own")), 7),
            ),
            allowed=passed,
        )
    )
    found = api.viewer.get(f"{PETS}/traffic").json()
    assert found["refused_methods"] == [
        {"name": "PATCH", "refusals": 214},
        {"name": "PUT", "refusals": 3},
    ]
    assert found["refused_headers"] == [{"name": "x-own", "refusals": 7}]
    matched = [(one["index"], one["last_matched"] is not None, one["revision"]) for one in found["entries"]]
    # The revisions are newer than the second request.
    assert matched == [(0, True, None), (1, False, None), (2, True, None), (3, False, None)]
    assert found["any_allowed"]


def test_a_limited_token_sees_the_traffic_of_its_apis_only(api: AdminApi) -> None:
    secret, _ = api.tokens.create("limited", Role.VIEWER, apis=("cats",))
    with api.client(secret) as client:
        assert client.get(f"{PETS}/traffic").status_code == 404
        assert client.get("/v1/apis", params={"counts": True}).json()["total"] == 1
