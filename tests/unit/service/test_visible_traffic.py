"""Decisions of a caller with a limit, of hours that are over and of the newest."""

from __future__ import annotations

from datetime import datetime

from tests.telemetry import HOUR, NOON

from crossgate.service.permission import Permission
from crossgate.service.traffic import DecisionKind, TrafficCounts
from crossgate.service.visible_traffic import KEPT_SECONDS, VisibleTraffic

PETS = Permission(apis=("pets",))
APIS = frozenset({"pets/1.0"})


class Store:
    """Decisions that grow; notes what was read."""

    def __init__(self) -> None:
        self.reads: list[tuple[datetime, datetime]] = []

    def __call__(self, since: datetime, until: datetime, apis: frozenset[str]) -> TrafficCounts:
        assert apis
        self.reads.append((since, until))
        return {(since, DecisionKind.ALLOWED): len(self.reads)}


def test_hours_that_are_over_are_read_once_a_minute_and_the_newest_always() -> None:
    now = [0.0]
    traffic, store = VisibleTraffic(lambda: now[0]), Store()
    since, newest = NOON - 24 * HOUR, NOON - 2 * HOUR

    def read(apis: frozenset[str] = APIS) -> list[tuple[datetime, datetime]]:
        store.reads.clear()
        assert len(traffic.counts(apis, PETS, since, NOON, store)) == 2
        return list(store.reads)

    assert read() == [(since, newest), (newest, NOON)]
    assert read() == [(newest, NOON)]
    assert read(frozenset({"pets/2.0"})) == [(since, newest), (newest, NOON)]
    now[0] += KEPT_SECONDS
    assert read(frozenset({"pets/2.0"})) == [(since, newest), (newest, NOON)]


def test_a_period_of_two_hours_is_read_at_once() -> None:
    store = Store()
    assert len(VisibleTraffic().counts(APIS, PETS, NOON - 2 * HOUR, NOON, store)) == 1
    assert store.reads == [(NOON - 2 * HOUR, NOON)]


def test_apis_are_those_of_the_mapping_that_is_given() -> None:
    traffic = VisibleTraffic()
    assert traffic.apis({"pets/1.0": 1, "shop/1.0": 1}, PETS) == {"pets/1.0"}
    assert traffic.apis({"pets/2.0": 1}, PETS) == {"pets/2.0"}
    assert traffic.apis({"pets/2.0": 1}, Permission(apis=("shop",))) == frozenset()
