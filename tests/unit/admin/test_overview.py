"""The gateway at a glance over REST."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.admin_api import AdminApi, running_admin_api
from tests.refusals import Collected, hour_of, now, series
from tests.reported_nodes import ReportedNodes, enforcing
from tests.telemetry import group, group_key, refused
from tests.unit.admin.entries import create_pets

from crossgate.compiler.route_names import UNMATCHED
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.permission import Role
from crossgate.service.ports import CounterKey, TelemetryBatch
from crossgate.store import Store

REFUSED, ALLOWED = series(), series(reason="preflight-allowed")
METHOD = series(reason="method-refused")
STOCK = series("stock/2")


@pytest.fixture
def collected() -> Collected:
    return Collected()


@pytest.fixture
def telemetry() -> InMemoryTelemetryStore:
    return InMemoryTelemetryStore()


@pytest.fixture
def api(store: Store, telemetry: InMemoryTelemetryStore, collected: Collected) -> Iterator[AdminApi]:
    with running_admin_api(
        store.catalogue,
        store.tokens,
        telemetry=telemetry,
        recent=collected,
        nodes=ReportedNodes(enforcing("fra-1")),
    ) as running:
        create_pets(running.editor, "https://app.example.com")
        yield running


def count(telemetry: InMemoryTelemetryStore, minutes: int, counts: dict[Any, int]) -> None:
    """Count decisions so many minutes ago."""
    at = (now() - timedelta(minutes=minutes)).replace(second=0, microsecond=0)
    counters = {CounterKey("n1", f"i{minutes}", one): count for one, count in counts.items()}
    telemetry.add_telemetry(TelemetryBatch("cp", hour_of(at), counters, minute=at))


def overview(api: AdminApi, period: str = "1h") -> dict[str, Any]:
    answer = api.viewer.get("/v1/overview", params={"period": period})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_last_hour_by_minute(
    api: AdminApi, telemetry: InMemoryTelemetryStore, collected: Collected
) -> None:
    count(telemetry, 90, {REFUSED: 100})
    count(telemetry, 30, {REFUSED: 5, ALLOWED: 20, UNMATCHED: 3})
    count(telemetry, 29, {METHOD: 2})
    collected.decisions = {(hour_of(now()), REFUSED): 7}

    traffic = overview(api)["traffic"]

    assert (traffic["step_seconds"], len(traffic["steps"])) == (60, 60)
    totals = {"allowed": 20, "origin": 12, "method": 2, "header": 0, "observed": 0, "other": 3}
    assert traffic["totals"] == totals
    # A minute may have passed since.
    (place,) = (number for number, one in enumerate(traffic["steps"]) if one["allowed"])
    assert place in (28, 29)
    assert [traffic["steps"][place + one][key] for one, key in ((0, "origin"), (1, "method"))] == [5, 2]
    assert traffic["steps"][-1]["origin"] == 7
    first, second = (datetime.fromisoformat(one["at"]) for one in traffic["steps"][:2])
    assert second - first == timedelta(minutes=1)


@pytest.mark.parametrize(("period", "steps", "total"), [("24h", 24, 5), ("7d", 168, 12)])
def test_longer_periods_by_hour(
    api: AdminApi, telemetry: InMemoryTelemetryStore, period: str, steps: int, total: int
) -> None:
    count(telemetry, 180, {REFUSED: 5})
    count(telemetry, 3000, {REFUSED: 7})
    traffic = overview(api, period)["traffic"]
    assert (traffic["step_seconds"], len(traffic["steps"])) == (3600, steps)
    assert traffic["totals"]["origin"] == total


def test_a_limited_caller_sees_no_counts_of_others(api: AdminApi, telemetry: InMemoryTelemetryStore) -> None:
    count(telemetry, 0, {REFUSED: 5, STOCK: 100, UNMATCHED: 50})
    telemetry.add_telemetry(refused(group(group_key(api="stock/2"), 9, now(), range(8))))
    secret, _ = api.tokens.create("team", Role.VIEWER, apis=["pets"])
    with api.client(secret) as team:
        body = team.get("/v1/overview").json()
    assert (body["traffic"]["step_seconds"], len(body["traffic"]["steps"])) == (3600, 2)
    assert sum(body["traffic"]["totals"].values()) == 5
    assert (body["refusals"], body["revisions"], body["nodes"]["apis"]) == ([], [], 1)


def test_open_groups_of_most_clients_come_first(api: AdminApi, telemetry: InMemoryTelemetryStore) -> None:
    for number in range(8):
        key = group_key(f"https://o{number}.example")
        telemetry.add_telemetry(refused(group(key, 100 - number, now(), range(number + 1))))
    dismissed = group_key("https://o7.example").id
    api.editor.post(f"/v1/refusals/{dismissed}/dismiss", json={"reason": "bot"})
    shown = [one["origin"] for one in overview(api)["refusals"]]
    assert shown == [f"https://o{number}.example" for number in (6, 5, 4, 3, 2, 1)]


def test_changes_nodes_and_a_url_to_try(api: AdminApi) -> None:
    body = overview(api)
    assert [one["number"] for one in body["revisions"]] == [1]
    assert [one["node"] for one in body["nodes"]["items"]] == ["fra-1"]
    assert body["example_url"] == "http://127.0.0.1:8080/gateway/pets/1.0"
    assert not body["counted"]


def test_a_gateway_with_older_traffic_was_counted(api: AdminApi, telemetry: InMemoryTelemetryStore) -> None:
    count(telemetry, 3000, {ALLOWED: 1})
    assert overview(api)["counted"]


def test_an_unknown_period_is_refused(api: AdminApi) -> None:
    assert api.viewer.get("/v1/overview", params={"period": "1y"}).status_code == 422
