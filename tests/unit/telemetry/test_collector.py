"""Reports of nodes go to the store whole, once, and whatever fails in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from threading import Thread

import pytest
from tests.unit.telemetry.samples import sample

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.errors import StoreUnavailable
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.ports import CounterKey, TelemetryBatch
from crossgate.telemetry.collector import KEPT, Collector
from crossgate.telemetry.decision_counts import ENDED_AFTER, FORGOTTEN_AFTER, DecisionCounts
from crossgate.telemetry.reported_counters import LogDeliveries

HOUR = datetime(2026, 11, 28, 12, tzinfo=UTC)
SERIES = DecisionSeries("pets/1.0", "/gateway/pets/1.0", "cors-request", "origin-refused")


class Flaky(InMemoryTelemetryStore):
    """Fails before or after it stored a batch."""

    fails = ""
    faulty_origin = ""

    def add_telemetry(self, batch: TelemetryBatch) -> Mapping[CounterKey, int]:
        if self.fails == "before":
            raise StoreUnavailable("the disk is full", "Free space")
        if any(group.key.origin == self.faulty_origin for group in batch.groups):
            raise RuntimeError("a fault")
        parts = super().add_telemetry(batch)
        if self.fails == "after":
            raise StoreUnavailable("the connection ended", "Retry")
        return parts


def collector(store: InMemoryTelemetryStore | None, name: str = "one") -> Collector:
    made = Collector(name, now=lambda: HOUR)
    made.store = store
    return made


def counted(store: InMemoryTelemetryStore) -> int:
    return sum(store.decisions(HOUR, HOUR.replace(hour=13)).values())


def refused(store: InMemoryTelemetryStore) -> float:
    return sum(group.count for group in store.refusals())


def test_counts_and_groups_are_stored() -> None:
    store = InMemoryTelemetryStore()
    one = collector(store)
    one.counted("node", "a", {SERIES: 3})
    one.sampled([sample()] * 3)
    one.delivered("node", "a", LogDeliveries(admitted=3))
    one.store_now()
    assert one.sums.totals() == {SERIES: 3}
    assert one.sums.totals_by_node() == {"node": {SERIES: 3}}
    assert one.totals() == {CounterKey("node", "a", SERIES): 3}
    assert (counted(store), refused(store)) == (3, 3)


def test_what_is_reported_before_there_is_a_store_is_stored_later() -> None:
    one = collector(None)
    one.counted("node", "a", {SERIES: 3})
    one.sampled([sample()] * 3)
    one.store_now()
    store = InMemoryTelemetryStore()
    one.store = store
    one.store_now()
    assert (counted(store), refused(store)) == (3, 3)


def test_a_store_that_fails_loses_and_doubles_nothing() -> None:
    store = Flaky()
    one = collector(store)
    for number, fails in enumerate(("", "before", "after", "before", "")):
        store.fails = fails
        one.counted("node", "a", {SERIES: 3 * (number + 1)})
        one.sampled([sample()] * 3)
        one.delivered("node", "a", LogDeliveries(admitted=3 * (number + 1)))
        one.store_now()
    one.store_now()
    assert (counted(store), refused(store)) == (15, 15)
    assert one.sums.totals() == {SERIES: 15}


def test_the_last_store_leaves_no_group_that_waits() -> None:
    store = InMemoryTelemetryStore()
    one = collector(store)
    one.counted("node", "a", {SERIES: 250})
    one.sampled([sample(origin=f"https://{number}.example") for number in range(200)])
    one.store_now(last=True)
    others = sum(other.count for other in store.other_refusals())
    assert (counted(store), refused(store) + others) == (250, 250)
    assert others > 0


def test_a_batch_that_no_store_can_take_does_not_keep_later_ones_from_it() -> None:
    store = Flaky()
    store.faulty_origin = "https://fault.example"
    one = collector(store)
    one.counted("node", "a", {SERIES: 1})
    one.sampled([sample(origin=store.faulty_origin)])
    with pytest.raises(RuntimeError):
        one.store_now()
    one.sampled([sample()] * 2)
    one.store_now()
    assert (counted(store), refused(store)) == (1, 2)


def test_a_node_that_changes_control_planes_is_counted_once() -> None:
    store = InMemoryTelemetryStore()
    one, other = collector(store, "one"), collector(store, "other")
    one.counted("node", "a", {SERIES: 5})
    one.store_now()
    other.counted("node", "a", {SERIES: 8})
    other.store_now()
    assert (one.sums.totals(), other.sums.totals()) == ({SERIES: 5}, {SERIES: 3})
    assert counted(store) == 8


def test_a_restarted_control_plane_goes_on_where_it_ended() -> None:
    store = InMemoryTelemetryStore()
    one = collector(store)
    one.counted("node", "a", {SERIES: 5})
    one.store_now()
    again = collector(store)
    again.counted("node", "a", {SERIES: 6})
    again.store_now()
    assert again.sums.totals() == {SERIES: 6}
    assert counted(store) == 6


@pytest.mark.parametrize("work", ["report", "take", "stored", "parts"])
def test_reports_do_not_wait_for_work_on_counters(work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = InMemoryTelemetryStore()
    one = collector(store)
    done: list[bool] = []
    real = getattr(DecisionCounts, work)

    def working(counts: DecisionCounts, *arguments: object) -> object:
        more = Thread(target=one.counted, args=("node", "b", {SERIES: 2}), daemon=True)
        more.start()
        more.join(20)
        done.append(not more.is_alive())
        return real(counts, *arguments)

    monkeypatch.setattr(DecisionCounts, work, working)
    one.counted("node", "a", {SERIES: 3})
    one.store_now()
    one.totals()
    monkeypatch.undo()
    one.store_now()
    assert set(done) == {True}
    assert counted(store) == 5


def test_a_process_without_a_name_that_begins_again_before_the_store_answers_is_counted() -> None:
    store = InMemoryTelemetryStore()
    one = collector(None)
    for value in (3, 5, 2):
        one.counted("node", "", {SERIES: value})
    one.store = store
    one.store_now()
    assert counted(store) == 7


def test_a_node_that_is_gone_is_forgotten_and_one_that_comes_back_goes_on() -> None:
    store, time = InMemoryTelemetryStore(), HOUR
    one = Collector("one", now=lambda: time)
    one.store = store
    for number in range(10):
        one.counted(f"node-{number}", "a", {SERIES: 3})
        one.delivered(f"node-{number}", "a", LogDeliveries(admitted=3))
        one.flushed(f"node-{number}")
        one.sampled([sample(node=f"node-{number}")])
    one.store_now()
    time += FORGOTTEN_AFTER
    one.store_now()
    activity = one.activity()
    assert not (activity.received or activity.deliveries or activity.flushed)
    assert (one.totals(), one.sums.totals_by_node(), one.sums.totals()) == ({}, {}, {SERIES: 30})
    one.counted("node-1", "a", {SERIES: 4})
    one.store_now()
    assert (one.sums.totals(), one.sums.totals_by_node()) == ({SERIES: 31}, {"node-1": {SERIES: 4}})
    assert sum(store.decisions(HOUR, time + FORGOTTEN_AFTER).values()) == 31


def test_a_node_that_never_counted_a_decision_is_forgotten() -> None:
    time = HOUR
    one = Collector("one", now=lambda: time)
    one.store = InMemoryTelemetryStore()
    one.delivered("node", "a", LogDeliveries(admitted=3))
    one.flushed("node")
    one.store_now()
    assert one.activity().deliveries
    time += FORGOTTEN_AFTER
    one.store_now()
    activity = one.activity()
    assert not (activity.deliveries or activity.flushed)


def test_what_is_known_of_nodes_that_never_counted_a_decision_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("crossgate.telemetry.collector._MAX_NODES", 10)
    one = collector(InMemoryTelemetryStore())
    for number in range(20):
        one.delivered(f"node-{number}", "a", LogDeliveries(admitted=3))
        one.delivered("node-0", "a", LogDeliveries(admitted=number))
        one.delivered("often", f"{number}", LogDeliveries(admitted=3))
        one.sampled([sample(node=f"node-{number}"), sample(node="node-0")])
    activity = one.activity()
    assert (len(activity.received), len(activity.deliveries)) == (10, 10)
    assert (activity.received["node-0"], activity.deliveries["node-0", "a"].admitted) == (21, 19)


def test_what_others_counted_of_a_process_that_ended_is_forgotten() -> None:
    time = HOUR
    one = Collector("one", now=lambda: time)
    one.store = InMemoryTelemetryStore()
    one.counted("node", "a", {SERIES: 3})
    one.store_now()
    time += ENDED_AFTER
    one.counted("node", "b", {SERIES: 1})
    one.store_now()
    # Late, over a connection that ended.
    one.counted("node", "a", {SERIES: 3})
    time += FORGOTTEN_AFTER / 2
    one.store_now()
    assert list(one.sums._counted_by_others) == [("node", "b")]
    one.counted("node", "b", {SERIES: 2})
    one.store_now()
    assert one.sums.totals() == {SERIES: 5}


def test_a_clock_that_is_set_back_does_not_end_pruning() -> None:
    calls: list[datetime] = []

    class Pruned(InMemoryTelemetryStore):
        def prune_telemetry(self, before: datetime, apis: Sequence[str] | None = None) -> None:
            del apis
            calls.append(before + KEPT)

    time = HOUR.replace(year=2036)
    one = Collector("one", now=lambda: time)
    one.store = Pruned()
    one.store_now()
    one.store_now()
    time = HOUR
    one.store_now()
    one.store_now()
    assert calls == [HOUR.replace(year=2036), HOUR]


def test_subscribers_are_called_when_something_is_new() -> None:
    one = collector(InMemoryTelemetryStore())
    calls: list[None] = []
    stop = one.subscribe(lambda: calls.append(None))
    one.store_now()
    one.sampled([sample()])
    one.store_now()
    one.store_now()
    stop()
    one.sampled([sample()])
    one.store_now()
    assert len(calls) == 1


def test_a_request_is_found_by_its_id() -> None:
    one = collector(InMemoryTelemetryStore())
    request = sample()
    one.sampled([request])
    found = one.find_request(request.request_id)
    assert found is not None
    assert found.origin == request.origin
    assert one.find_request("unknown") is None
