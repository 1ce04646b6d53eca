"""The contract of `TelemetryStore`, in memory and on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from tests.telemetry import (
    ALLOWED,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    OBSERVED,
    REFUSED,
    allowed,
    counted,
    dismissal,
    group,
    group_key,
    let_in,
    refused,
)

from crossgate.compiler.route_names import UNMATCHED
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.ports import CounterKey, TelemetryStore
from crossgate.service.refusals import OtherRefusals, RefusalGroup, SeenIn, SeenOrigin, TelemetryLimits
from crossgate.service.traffic import DecisionKind
from crossgate.store import open_store
from crossgate.store.telemetry import DatabaseTelemetryStore

HOSTILE = [
    "",
    "\x1b[31m",
    "https://\u202egpj.example",
    "=cmd()|'/c calc'!A0",
    "<script>",
    "a\r\nb\0c",
    "\ud800",
    "'; --",
    'a", "method": "',
]
LIMITS = TelemetryLimits(groups=20, groups_of_api=12, allowed=20, allowed_of_api=8)


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Opened:
    """A store of telemetry, and its clock."""

    clock: Clock
    open: Callable[[], TelemetryStore]
    """Opens it as another control plane does."""

    def __post_init__(self) -> None:
        self.store = self.open()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest) -> Iterator[Opened]:
    clock = Clock()
    if request.param == "memory":
        memory = InMemoryTelemetryStore(LIMITS, clock)
        yield Opened(clock, lambda: memory)
        return
    location = request.getfixturevalue("directory" if request.param == "sqlite" else "database")
    with ExitStack() as stack:

        def enter() -> TelemetryStore:
            return DatabaseTelemetryStore(stack.enter_context(open_store(location)).catalogue, LIMITS, clock)

        yield Opened(clock, enter)


@pytest.fixture
def store(opened: Opened) -> TelemetryStore:
    return opened.store


def one_of(store: TelemetryStore) -> RefusalGroup:
    (found,) = store.refusals()
    return found


# Counters


def test_only_what_is_new_of_a_counter_is_added(store: TelemetryStore) -> None:
    assert store.add_telemetry(counted({REFUSED: 5, ALLOWED: 2})) == {
        CounterKey("n1", "i1", REFUSED): 5,
        CounterKey("n1", "i1", ALLOWED): 2,
    }
    assert store.add_telemetry(counted({REFUSED: 7}, hour=NOON + HOUR)) == {
        CounterKey("n1", "i1", REFUSED): 7
    }
    # An older value, as a second stream of the same process may report it.
    assert store.add_telemetry(counted({REFUSED: 6})) == {CounterKey("n1", "i1", REFUSED): 7}
    assert store.decisions(NOON, NOON + DAY) == {
        (NOON, REFUSED): 5,
        (NOON, ALLOWED): 2,
        (NOON + HOUR, REFUSED): 2,
    }
    assert store.decisions(NOON + HOUR, NOON + DAY) == {(NOON + HOUR, REFUSED): 2}
    assert store.decisions(NOON, NOON + HOUR) == {(NOON, REFUSED): 5, (NOON, ALLOWED): 2}
    assert store.decisions(NOON, NOON + HOUR, api=REFUSED.api) == {(NOON, REFUSED): 5, (NOON, ALLOWED): 2}
    assert store.decisions(NOON, NOON + HOUR, api="none/1") == {}


def test_traffic_is_kept_by_minute_and_kind(opened: Opened) -> None:
    store, minute = opened.store, NOON + 7 * MINUTE
    values = {REFUSED: 5, ALLOWED: 2, OBSERVED: 3, UNMATCHED: 4}
    store.add_telemetry(replace(counted(values), minute=minute))
    opened.open().add_telemetry(replace(counted({REFUSED: 9}, "b"), minute=minute + MINUTE))
    first = {
        (minute, DecisionKind.ORIGIN): 5,
        (minute, DecisionKind.ALLOWED): 2,
        (minute, DecisionKind.OBSERVED): 3,
        (minute, DecisionKind.OTHER): 4,
    }
    assert store.traffic(NOON, NOON + HOUR) == {**first, (minute + MINUTE, DecisionKind.ORIGIN): 4}
    assert store.traffic(NOON, minute + MINUTE) == first
    assert store.traffic(minute + MINUTE, NOON + HOUR) == {(minute + MINUTE, DecisionKind.ORIGIN): 4}


def test_traffic_of_some_apis_is_known_by_hour(store: TelemetryStore) -> None:
    store.add_telemetry(replace(counted({REFUSED: 5, ALLOWED: 2, OBSERVED: 3}), minute=NOON + MINUTE))
    assert store.traffic(NOON, NOON + HOUR, ["pets/1.0", "none/1"]) == {
        (NOON, DecisionKind.ORIGIN): 5,
        (NOON, DecisionKind.ALLOWED): 2,
    }
    assert store.traffic(NOON, NOON + HOUR, []) == {}
    assert store.traffic(NOON + HOUR, NOON + DAY, ["pets/1.0"]) == {}


def test_refusals_are_counted_by_api(store: TelemetryStore) -> None:
    store.add_telemetry(counted({REFUSED: 5, ALLOWED: 2, OBSERVED: 3, UNMATCHED: 4}))
    store.add_telemetry(counted({REFUSED: 7}, hour=NOON + HOUR))
    every = ["pets/1.0", "shop/1.0", "none/1"]
    assert store.refused_by_api(NOON, NOON + 2 * HOUR, every) == {
        ("pets/1.0", DecisionKind.ORIGIN): 7,
        ("shop/1.0", DecisionKind.OBSERVED): 3,
    }
    assert store.refused_by_api(NOON, NOON + HOUR, ["pets/1.0"]) == {("pets/1.0", DecisionKind.ORIGIN): 5}
    assert store.refused_by_api(NOON, NOON + DAY, []) == {}


def test_traffic_of_the_past_is_kept_by_hour_and_then_removed(opened: Opened) -> None:
    store = opened.store
    for number, minute in enumerate((0, 7, 59), 1):
        store.add_telemetry(replace(counted({REFUSED: number}), minute=NOON + minute * MINUTE))
    opened.clock.now = NOON + 4 * HOUR + 30 * MINUTE
    store.add_telemetry(replace(counted({REFUSED: 4}), minute=opened.clock.now))
    store.prune_telemetry(NOON - 30 * DAY)
    now = {(opened.clock.now, DecisionKind.ORIGIN): 1}
    assert store.traffic(NOON, NOON + DAY) == {(NOON, DecisionKind.ORIGIN): 3, **now}
    opened.clock.now = NOON + 8 * DAY + HOUR
    store.prune_telemetry(NOON - 30 * DAY)
    assert sum(store.traffic(NOON - DAY, NOON + 9 * DAY).values()) == 1


def test_process_that_changes_control_planes_is_counted_once(opened: Opened) -> None:
    here, there = opened.store, opened.open()
    here.add_telemetry(counted({REFUSED: 5}))
    assert there.add_telemetry(counted({REFUSED: 9}, "b")) == {CounterKey("n1", "i1", REFUSED): 4}
    assert here.add_telemetry(counted({REFUSED: 9}, "a")) == {CounterKey("n1", "i1", REFUSED): 5}
    assert there.counted_elsewhere("b", "n1", "i1") == {REFUSED: 5}
    assert there.counted_elsewhere("b", "n1", "i2") == {}
    assert sum(here.decisions(NOON, NOON + DAY).values()) == 9


def test_many_processes_in_one_batch(store: TelemetryStore) -> None:
    one, other = counted({REFUSED: 5}), counted({REFUSED: 3, OBSERVED: 1}, node="n2")
    both = replace(one, counters={**one.counters, **other.counters})
    assert store.add_telemetry(both) == both.counters
    assert store.own_counters("a") == both.counters
    assert store.decisions(NOON, NOON + DAY) == {(NOON, REFUSED): 8, (NOON, OBSERVED): 1}


def test_parts_of_ended_processes_are_summed(opened: Opened) -> None:
    store = opened.store
    store.add_telemetry(counted({REFUSED: 5}))
    store.add_telemetry(counted({REFUSED: 1}, incarnation="i2", ended=[("n1", "i1")]))
    expected = {CounterKey("n1", "", REFUSED): 5, CounterKey("n1", "i2", REFUSED): 1}
    assert store.own_counters("a") == expected
    # What was still on its way is counted.
    store.add_telemetry(counted({REFUSED: 6}))
    expected[CounterKey("n1", "", REFUSED)] = 6
    assert store.own_counters("a") == expected
    for days in (2, 3):
        opened.clock.now = NOON + days * DAY
        store.prune_telemetry(NOON - 30 * DAY)
        assert store.own_counters("a") == expected
        # By now the process is closed: nothing is counted twice.
        store.add_telemetry(counted({REFUSED: 8}, hour=opened.clock.now))
        opened.open().add_telemetry(counted({REFUSED: 8}, "b", hour=opened.clock.now))
        assert store.own_counters("a") == expected
    assert sum(store.decisions(NOON, NOON + 30 * DAY).values()) == 7


def test_process_that_another_control_plane_still_counts_is_not_summed(opened: Opened) -> None:
    store = opened.store
    store.add_telemetry(counted({REFUSED: 5}, ended=[("n1", "i1")]))
    opened.clock.now = NOON + 3 * DAY
    store.add_telemetry(counted({REFUSED: 6}, "b", hour=opened.clock.now))
    store.prune_telemetry(NOON - 30 * DAY)
    assert store.add_telemetry(counted({REFUSED: 7}, "b", hour=opened.clock.now)) == {
        CounterKey("n1", "i1", REFUSED): 2
    }


def test_processes_of_control_planes_are_separate(store: TelemetryStore) -> None:
    store.add_telemetry(counted({REFUSED: 5}))
    store.add_telemetry(counted({REFUSED: 6}, "b", ended=[("n1", "i1")]))
    assert store.own_counters("a") == {CounterKey("n1", "i1", REFUSED): 5}
    assert store.own_counters("b") == {CounterKey("n1", "", REFUSED): 1}
    assert store.own_counters("c") == {}


def test_counters_of_deleted_apis_go_when_their_process_has_ended(opened: Opened) -> None:
    store = opened.store
    store.add_telemetry(counted({REFUSED: 5, OBSERVED: 1}))
    store.prune_telemetry(NOON - 30 * DAY, ["shop/1.0"])
    # Envoy goes on to report it: without the part, it would be counted again.
    store.add_telemetry(counted({REFUSED: 5}, ended=[("n1", "i1")]))
    assert sum(store.decisions(NOON, NOON + DAY).values()) == 6
    opened.clock.now = NOON + 2 * DAY
    store.prune_telemetry(NOON - 30 * DAY, ["shop/1.0"])
    assert store.own_counters("a") == {CounterKey("n1", "", OBSERVED): 1}
    assert store.decisions(NOON, NOON + DAY) == {(NOON, REFUSED): 5, (NOON, OBSERVED): 1}


def test_old_counters_and_decisions_are_removed(opened: Opened) -> None:
    store = opened.store
    store.add_telemetry(counted({REFUSED: 5}))
    store.add_telemetry(counted({REFUSED: 1}, node="n2", hour=NOON + 20 * DAY))
    opened.clock.now = NOON + 40 * DAY
    store.prune_telemetry(NOON + 10 * DAY, [])
    assert store.own_counters("a") == {CounterKey("n2", "i1", REFUSED): 1}
    assert sum(store.decisions(NOON - DAY, NOON + 50 * DAY).values()) == 1
    store.prune_telemetry(NOON + 30 * DAY, [])
    assert store.own_counters("a") == {}
    assert store.decisions(NOON - DAY, NOON + 50 * DAY) == {}
    store.add_telemetry(counted({REFUSED: 5}))
    assert store.own_counters("a") == {CounterKey("n1", "i1", REFUSED): 5}


def test_decisions_are_kept_by_day_after_a_week(opened: Opened) -> None:
    store = opened.store
    for number in range(4):
        store.add_telemetry(counted({REFUSED: 5 + number, ALLOWED: 1}, hour=NOON + 8 * number * HOUR))
    opened.clock.now = NOON + 9 * DAY
    midnight = NOON.replace(hour=0)
    for _ in "twice":
        store.prune_telemetry(NOON - 30 * DAY)
        assert store.decisions(midnight, NOON + 2 * DAY) == {
            (midnight, REFUSED): 6,
            (midnight, ALLOWED): 1,
            (NOON + 16 * HOUR, REFUSED): 1,
            (NOON + 24 * HOUR, REFUSED): 1,
        }


# Groups


def test_refusals_are_added_to_their_group(opened: Opened) -> None:
    store = opened.store
    store.add_telemetry(refused(group(count=2, variance=0.5, clients="ab", at=NOON + timedelta(minutes=5))))
    opened.open().add_telemetry(
        refused(group(count=3, variance=0.25, clients="bc", at=NOON + HOUR), control_plane="b")
    )
    found = one_of(store)
    assert found.key == group_key()
    assert (found.sampled, found.count, found.variance, found.clients) == (2, 5, 0.75, 3)
    assert (found.first_seen, found.last_seen) == (NOON + timedelta(minutes=5), NOON + HOUR)
    assert found.hours == {NOON: 2, NOON + HOUR: 3}
    assert found.disposition is None


def test_clients_are_those_of_the_busiest_day(store: TelemetryStore) -> None:
    store.add_telemetry(refused(group(clients=range(10))))
    store.add_telemetry(refused(group(clients=range(100, 130), at=NOON + DAY)))
    store.add_telemetry(refused(group(clients=range(5), at=NOON + 2 * DAY)))
    assert one_of(store).clients == pytest.approx(30, abs=2)
    # Late refusals of an earlier day, whose registers are gone.
    store.add_telemetry(refused(group(clients=range(200, 260), at=NOON)))
    assert one_of(store).clients == pytest.approx(60, abs=4)


def test_samples_of_a_group_are_few(store: TelemetryStore) -> None:
    for number in range(10):
        seen = SeenIn(f"/p/{number}", (f"browser {number}",), ("cross-site",), ("cors",), ("empty",))
        store.add_telemetry(refused(group(seen_in=seen)))
    assert one_of(store).seen_in == SeenIn(
        "/p/0", tuple(f"browser {number}" for number in range(5)), ("cross-site",), ("cors",), ("empty",)
    )


@pytest.mark.parametrize("origin", HOSTILE)
def test_hostile_values_come_back_as_they_were(store: TelemetryStore, origin: str) -> None:
    key = group_key(origin, method=origin, headers=(origin, origin + "x"))
    seen = SeenIn(origin, (origin,), (origin,), (origin,), (origin,))
    store.add_telemetry(refused(group(key, seen_in=seen)))
    found = one_of(store)
    assert (found.key, found.seen_in) == (key, seen)
    store.add_telemetry(let_in(allowed(origin)))
    assert [one.key.origin for one in store.allowed_origins()] == [origin]
    assert store.dispose(key.id, dismissal(note=origin)) == replace(found, disposition=dismissal(note=origin))
    assert one_of(store).disposition == dismissal(note=origin)


def test_groups_are_found_by_time_and_api(store: TelemetryStore) -> None:
    pets, shop = group(count=2), group(group_key(api="shop/1.0"), count=3, at=NOON + HOUR)
    store.add_telemetry(refused(pets, shop))
    assert [one.key.api for one in store.refusals()] == ["shop/1.0", "pets/1.0"]
    assert [one.key.api for one in store.refusals(since=NOON + HOUR)] == ["shop/1.0"]
    assert [one.key.api for one in store.refusals(api="pets/1.0")] == ["pets/1.0"]
    assert [one.hours for one in store.refusals(api="pets/1.0")] == [{NOON: 2}]
    assert store.refusals(since=NOON + HOUR, api="pets/1.0") == []


def test_every_part_of_the_key_makes_a_group(store: TelemetryStore) -> None:
    keys = [
        group_key(),
        group_key("https://b.example"),
        group_key(api="shop/1.0"),
        group_key(reason="method-refused"),
        group_key(preflight=False),
        group_key(method="PUT"),
        group_key(headers=("x-a",)),
        group_key(observed=True),
    ]
    store.add_telemetry(refused(*map(group, keys)))
    assert {one.key for one in store.refusals()} == set(keys)
    assert len({one.key.id for one in store.refusals()}) == len(keys)


def test_disposition_stays_with_the_group_until_it_is_opened(opened: Opened) -> None:
    store, other = opened.store, opened.open()
    store.add_telemetry(refused(group()))
    disposed = other.dispose(group_key().id, dismissal())
    assert disposed == one_of(store) == store.refusal(group_key().id)
    assert store.refusal("0" * 16) is None
    store.add_telemetry(refused(group(at=NOON + HOUR)))
    assert one_of(other).disposition == dismissal()
    opened_again = store.dispose(group_key().id, None)
    assert opened_again is not None
    assert opened_again.disposition is None
    assert store.dispose("0" * 16, dismissal()) is None


def test_batch_that_is_added_again_adds_nothing_to_groups(store: TelemetryStore) -> None:
    other = OtherRefusals("pets/1.0", "origin-refused", False, 1, 4.0, 0.5, NOON)
    batch = replace(
        refused(group(), others=[other]), allowed=[allowed()], counters=counted({REFUSED: 5}).counters
    )
    for _ in "twice":
        store.add_telemetry(batch)
    assert one_of(store).count == 1
    assert store.other_refusals() == [other]
    assert [one.count for one in store.allowed_origins()] == [1]
    assert store.own_counters("a") == batch.counters
    store.add_telemetry(replace(batch, id="another"))
    assert one_of(store).count == 2
    store.add_telemetry(replace(batch, control_plane="b", id="another"))
    assert one_of(store).count == 3


# Bounds


def test_groups_beyond_the_bound_are_counted_as_others(store: TelemetryStore) -> None:
    wide = [group(group_key(f"https://wide-{number}.example"), clients=range(20)) for number in range(2)]
    frequent = [group(group_key(f"https://frequent-{number}.example"), count=1_000) for number in range(2)]
    store.add_telemetry(refused(*wide, *frequent))
    sent = 2 + 2_000.0
    for minute in range(10):
        at = NOON + timedelta(minutes=minute + 1)
        flood = [group(group_key(f"https://{minute}-{number}.example"), at=at) for number in range(30)]
        store.add_telemetry(refused(*flood))
        sent += 30
    found = store.refusals()
    assert len(found) == LIMITS.groups_of_api
    origins = {one.key.origin for one in found}
    assert origins.issuperset(one.key.origin for one in [*wide, *frequent])
    (others,) = store.other_refusals()
    assert (others.api, others.reason, others.observed) == ("pets/1.0", "origin-refused", False)
    assert others.count + sum(one.count for one in found) == sent
    assert others.sampled + sum(one.sampled for one in found) == 4 + 300
    assert store.other_refusals(api="shop/1.0") == store.other_refusals(since=NOON + DAY) == []


def test_flood_of_one_api_leaves_the_groups_of_others(store: TelemetryStore) -> None:
    apis = [f"api-{number}/1.0" for number in range(8)]
    store.add_telemetry(refused(*[group(group_key(api=api)) for api in apis]))
    flood = [group(group_key(f"https://{number}.example"), at=NOON + HOUR) for number in range(100)]
    store.add_telemetry(refused(*flood))
    found = [one.key.api for one in store.refusals()]
    assert len(found) == LIMITS.groups
    assert set(found) == {*apis, "pets/1.0"}


def test_group_with_a_disposition_goes_last(store: TelemetryStore) -> None:
    store.add_telemetry(refused(group()))
    store.dispose(group_key().id, dismissal())
    later = NOON + 3 * DAY
    for number in range(3):
        flood = [group(group_key(f"https://{number}-{one}.example"), 50, at=later) for one in range(20)]
        store.add_telemetry(refused(*flood))
    assert group_key() in {one.key for one in store.refusals()}


def test_allowed_origins_are_bounded(store: TelemetryStore) -> None:
    store.add_telemetry(let_in(allowed(count=10)))
    store.add_telemetry(let_in(allowed(count=5, at=NOON + HOUR)))
    store.add_telemetry(let_in(*[allowed(f"https://{number}.example") for number in range(30)]))
    store.add_telemetry(let_in(allowed("https://b.example", api="shop/1.0", at=NOON - HOUR)))
    found = store.allowed_origins(api="pets/1.0")
    assert len(found) == LIMITS.allowed_of_api
    assert found[0] == allowed(count=15, at=NOON + HOUR)
    assert [one.key.api for one in store.allowed_origins()].count("shop/1.0") == 1
    assert len(store.allowed_origins()) == LIMITS.allowed_of_api + 1


def test_seen_origins_are_summed_by_api(store: TelemetryStore) -> None:
    seen, other = "https://a.example", "https://b.example"
    get = allowed(seen, count=2)
    request = replace(get, key=replace(get.key, preflight=False, headers=("x-one",)), last_seen=NOON + HOUR)
    store.add_telemetry(let_in(get, request, allowed(seen, api="shop/1.0"), allowed(other)))
    assert store.seen_origins([seen, "https://never.example"]) == [
        SeenOrigin(seen, "pets/1.0", 4, NOON + HOUR),
        SeenOrigin(seen, "shop/1.0", 1, NOON),
    ]
    assert store.seen_origins([]) == []
    assert {one.origin for one in store.seen_origins()} == {seen, other}
    many = [f"https://{number}.example" for number in range(3_000)]
    assert [one.origin for one in store.seen_origins([*many, other])] == [other]


@pytest.mark.parametrize("origin", HOSTILE)
def test_hostile_origin_is_not_taken_for_another(store: TelemetryStore, origin: str) -> None:
    store.add_telemetry(let_in(allowed(origin), allowed()))
    assert [one.origin for one in store.seen_origins([origin])] == [origin]
    assert {one.origin for one in store.seen_origins()} == {origin, "https://a.example"}
    assert [one.origin for one in store.seen_origins(["https://a.example"])] == ["https://a.example"]


def test_key_that_is_too_long_is_counted_without_a_group(store: TelemetryStore) -> None:
    long = group(group_key(headers=("x" * 8_000,)), count=7)
    store.add_telemetry(refused(long, group()))
    assert one_of(store).key == group_key()
    assert [(one.sampled, one.count) for one in store.other_refusals()] == [(1, 7)]


def test_old_groups_are_removed(opened: Opened) -> None:
    store = opened.store
    old, decided, new = group_key("https://old"), group_key("https://decided"), group_key("https://new")
    store.add_telemetry(refused(group(old), group(decided), group(new, at=NOON + 20 * DAY)))
    other = OtherRefusals("pets/1.0", "origin-refused", False, 1, 4.0, 0.5, NOON)
    store.add_telemetry(refused(others=[other]))
    store.add_telemetry(let_in(allowed(), allowed("https://b.example", at=NOON + 20 * DAY)))
    store.dispose(decided.id, dismissal(at=NOON + 15 * DAY))
    opened.clock.now = NOON + 22 * DAY
    store.prune_telemetry(NOON + 10 * DAY)
    assert {one.key for one in store.refusals()} == {decided, new}
    assert {one.key: one.hours for one in store.refusals()} == {decided: {}, new: {NOON + 20 * DAY: 1}}
    assert store.other_refusals() == []
    assert [one.key.origin for one in store.allowed_origins()] == ["https://b.example"]
    store.prune_telemetry(NOON + 21 * DAY)
    assert store.refusals() == []
    assert store.allowed_origins() == []


# Keys


def test_key_of_a_day_is_the_same_on_every_control_plane(opened: Opened) -> None:
    store, other = opened.store, opened.open()
    today = store.client_key(NOON)
    assert len(today) == 32
    assert other.client_key(NOON + timedelta(hours=11, minutes=59)) == today
    tomorrow = other.client_key(NOON + DAY)
    assert tomorrow != today
    assert store.client_key(NOON) == store.client_key(NOON + DAY) == tomorrow


def test_key_is_removed_when_the_day_is_over(opened: Opened) -> None:
    store = opened.store
    today = store.client_key(NOON)
    store.prune_telemetry(NOON - 30 * DAY)
    assert store.client_key(NOON) == today
    opened.clock.now = NOON + DAY
    store.prune_telemetry(NOON - 30 * DAY)
    assert store.client_key(NOON) != today
