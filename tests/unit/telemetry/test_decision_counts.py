from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.telemetry_model import ModelStore

from crossgate.compiler.route_names import SERVER_LEVEL, UNMATCHED, DecisionSeries
from crossgate.service.ports import CounterKey
from crossgate.telemetry.decision_counts import ENDED_AFTER, DecisionCounts

NOW = datetime(2026, 11, 28, 12, 59, 59, 900, tzinfo=UTC)
SERIES = DecisionSeries("petstore/1.0", "/gateway/petstore/1.0", "preflight", "allowed")
OTHER = DecisionSeries("orders/1.0", "/gateway/orders/1.0", "preflight", "allowed")
SERVER = DecisionSeries(SERVER_LEVEL, "", "preflight", "allowed")


def write(counts: DecisionCounts, store: ModelStore, now: datetime = NOW) -> None:
    batch = counts.take(now)
    counts.stored(batch, store.add(batch))


def test_what_is_new_is_returned_and_pending_until_it_is_stored() -> None:
    counts, store = DecisionCounts("cp", {}), ModelStore()
    assert counts.report("n", "i", {SERIES: 5, OTHER: 1}, {}) == {SERIES: 5, OTHER: 1}
    assert counts.report("n", "i", {SERIES: 7, OTHER: 1}, {}) == {SERIES: 2}
    assert counts.pending() == {SERIES: 7, OTHER: 1}
    assert counts.totals() == {}
    write(counts, store)
    assert counts.pending() == {}
    assert counts.totals() == {SERIES: 7, OTHER: 1}
    assert counts.totals_by_node() == {"n": {SERIES: 7, OTHER: 1}}


def test_a_batch_holds_values_that_changed_and_the_hour() -> None:
    counts, store = DecisionCounts("cp", {}), ModelStore()
    counts.report("n", "i", {SERIES: 5, OTHER: 1}, {})
    write(counts, store)
    counts.report("n", "i", {SERIES: 9, OTHER: 1}, {})
    batch = counts.take(NOW)
    assert batch.control_plane == "cp"
    assert batch.hour == datetime(2026, 11, 28, 12, tzinfo=UTC)
    assert batch.counters == {CounterKey("n", "i", SERIES): 9}


def test_what_is_reported_while_a_batch_is_written_is_in_the_next_one() -> None:
    counts, store = DecisionCounts("cp", {}), ModelStore()
    counts.report("n", "i", {SERIES: 5}, {})
    batch = counts.take(NOW)
    counts.report("n", "i", {SERIES: 6}, {})
    counts.stored(batch, store.add(batch))
    assert counts.totals() == {SERIES: 5}
    assert counts.pending() == {SERIES: 1}
    assert counts.take(NOW).counters == {CounterKey("n", "i", SERIES): 6}


def test_a_batch_that_was_not_stored_is_in_the_next_one() -> None:
    counts, store = DecisionCounts("cp", {}), ModelStore()
    counts.report("n", "i", {SERIES: 5}, {})
    counts.take(NOW)
    counts.report("n", "i", {OTHER: 1}, {})
    write(counts, store)
    assert store.total() == {SERIES: 5, OTHER: 1}


def test_a_repeated_commit_counts_once() -> None:
    counts, store = DecisionCounts("cp", {}), ModelStore()
    counts.report("n", "i", {SERIES: 5}, {})
    store.add(counts.take(NOW))  # its answer is lost
    write(counts, store)
    assert store.decisions == {SERIES: 5}
    assert counts.totals() == {SERIES: 5}


def test_a_node_that_moves_before_its_counts_were_stored_is_counted_once() -> None:
    store = ModelStore()
    first, second = DecisionCounts("A", {}), DecisionCounts("B", {})
    first.report("n", "i", {SERIES: 100}, {})
    second.report("n", "i", {SERIES: 150}, store.counted_elsewhere("B", "n", "i"))
    write(second, store)
    write(first, store)
    assert store.decisions == {SERIES: 150}
    assert first.totals() == {}
    assert second.totals() == {SERIES: 150}


def test_what_others_counted_is_not_new() -> None:
    counts = DecisionCounts("B", {CounterKey("n", "i", SERIES): 10})
    assert counts.report("n", "i", {SERIES: 35}, {SERIES: 20}) == {SERIES: 5}


def test_a_restarted_control_plane_counts_what_it_missed() -> None:
    store = ModelStore()
    counts = DecisionCounts("cp", {})
    counts.report("n", "i", {SERIES: 5}, {})
    write(counts, store)
    counts = DecisionCounts("cp", store.own("cp"))
    assert counts.totals() == {SERIES: 5}
    assert counts.report("n", "i", {SERIES: 8}, {}) == {SERIES: 3}


def test_ended_processes_are_folded_and_their_late_reports_ignored() -> None:
    counts, store = DecisionCounts("cp", {}), ModelStore()
    now = NOW
    for restart in range(50):
        counts.report("n", f"i{restart}", {SERIES: 2}, {})
        write(counts, store, now)
        now += timedelta(minutes=6)
    assert len(store.own("cp")) <= 4
    assert counts.totals() == {SERIES: 100}
    assert counts.report("n", "i0", {SERIES: 3}, {}) == {}
    write(counts, store, now)
    assert store.total() == {SERIES: 100}
    assert DecisionCounts("cp", store.own("cp")).totals() == {SERIES: 100}


def test_the_only_process_of_a_silent_node_is_not_folded() -> None:
    counts, store = DecisionCounts("cp", {}), ModelStore()
    counts.report("n", "i", {SERIES: 2}, {})
    for _ in range(3):
        write(counts, store, NOW + 10 * ENDED_AFTER)
    counts.report("n", "i", {SERIES: 3}, {})
    write(counts, store, NOW + 11 * ENDED_AFTER)
    assert store.own("cp") == {CounterKey("n", "i", SERIES): 3}


def test_two_processes_with_one_node_id_are_both_counted() -> None:
    counts, store = DecisionCounts("cp", {}), ModelStore()
    for value in range(1, 10):
        for incarnation in ("i", "j"):
            counts.report("n", incarnation, {SERIES: value}, {})
        write(counts, store, NOW + value * ENDED_AFTER)
    assert store.total() == {SERIES: 18}


def test_a_nameless_process_whose_values_fall_is_a_new_one() -> None:
    counts, store = DecisionCounts("cp", {}), ModelStore()
    for value, new in ((5, 5), (7, 2), (3, 3), (3, 0), (4, 1)):
        assert sum(counts.report("n", "", {SERIES: value}, {}).values()) == new
        write(counts, store)
    assert store.total() == {SERIES: 11}
    counts = DecisionCounts("cp", store.own("cp"))
    assert counts.report("n", "", {SERIES: 6}, {}) == {SERIES: 2}
    assert counts.report("n", "", {SERIES: 1}, {}) == {SERIES: 1}


def test_deleted_apis_are_not_shown_and_do_not_come_back() -> None:
    counts, store = DecisionCounts("cp", {}), ModelStore()
    values = {SERIES: 1, OTHER: 2, SERVER: 3, UNMATCHED: 4}
    counts.report("n", "i", values, {})
    write(counts, store)
    counts.keep_apis(["petstore/1.0"])
    kept = {SERIES: 1, SERVER: 3, UNMATCHED: 4}
    assert counts.totals() == kept
    assert counts.totals_by_node() == {"n": kept}
    counts.report("n", "i", {**values, OTHER: 5}, {})
    assert counts.pending() == {}
    write(counts, store)
    assert counts.totals() == kept


def test_an_api_that_comes_back_is_not_counted_again() -> None:
    counts, store = DecisionCounts("cp", {}), ModelStore()
    counts.report("n", "i", {OTHER: 2}, {})
    write(counts, store)
    counts.keep_apis([])
    counts.keep_apis(["orders/1.0"])
    assert counts.report("n", "i", {OTHER: 3}, {}) == {OTHER: 1}
    write(counts, store)
    assert counts.totals() == {OTHER: 3}


def test_deleted_apis_are_forgotten_with_their_process() -> None:
    counts, store = DecisionCounts("cp", {}), ModelStore()
    counts.report("n", "i", {OTHER: 2, SERIES: 1}, {})
    write(counts, store)
    counts.keep_apis(["petstore/1.0"])
    counts.report("n", "j", {SERIES: 1}, {})
    for later in (1, 2):
        write(counts, store, NOW + later * ENDED_AFTER)
    counts.keep_apis(["petstore/1.0", "orders/1.0"])
    assert counts.totals() == {SERIES: 2}


def test_totals_do_not_fall_when_an_older_backup_is_restored() -> None:
    counts = DecisionCounts("cp", {CounterKey("n", "i", SERIES): 10})
    counts.report("n", "i", {SERIES: 11}, {})
    counts.stored(counts.take(NOW), {CounterKey("n", "i", SERIES): 6})
    assert counts.totals() == {SERIES: 10}
