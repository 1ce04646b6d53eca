"""Any sequence of batches from two control planes leaves the same in memory, SQLite and PostgreSQL."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from tests.telemetry import (
    ALLOWED,
    DAY,
    HOUR,
    NOON,
    OBSERVED,
    REFUSED,
    allowed,
    dismissal,
    group,
    group_key,
)

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.ports import CounterKey, TelemetryBatch, TelemetryStore
from crossgate.service.refusals import GroupDelta, OtherRefusals, SeenIn, TelemetryLimits
from crossgate.store import PostgresqlUrl, SqliteDirectory, open_store
from crossgate.store.store import DatabaseStore
from crossgate.store.tables import head, metadata
from crossgate.store.telemetry import DatabaseTelemetryStore

LIMITS = TelemetryLimits(groups=8, groups_of_api=5, allowed=6, allowed_of_api=4)
SERIES = (REFUSED, ALLOWED, OBSERVED)
APIS = ("pets/1.0", "shop/1.0", "server-level")
CONTROL_PLANES = ("a", "b")
NODES = ("n1", "n2")
INCARNATIONS = ("i1", "i2", "")

Action = Callable[[TelemetryStore, "Clock"], object]


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Add:
    """Adds a batch, twice if the first answer is lost."""

    batch: TelemetryBatch
    times: int

    def __call__(self, store: TelemetryStore, clock: Clock) -> object:
        batch = replace(self.batch, hour=clock.now.replace(minute=0))
        return [store.add_telemetry(batch) for _ in range(self.times)]


@dataclass(frozen=True)
class Dispose:
    key: int
    decided: bool

    def __call__(self, store: TelemetryStore, clock: Clock) -> object:
        found = sorted(one.key.id for one in store.refusals())
        if not found:
            return None
        return store.dispose(found[self.key % len(found)], dismissal(clock.now) if self.decided else None)


@dataclass(frozen=True)
class Prune:
    after: timedelta
    keep: timedelta
    apis: tuple[str, ...] | None

    def __call__(self, store: TelemetryStore, clock: Clock) -> object:
        clock.now += self.after
        store.prune_telemetry(clock.now - self.keep, self.apis)
        return None


@dataclass
class Seen:
    """What the readers of a store see."""

    store: TelemetryStore
    found: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        store, past, future = self.store, NOON - 100 * DAY, NOON + 1_000 * DAY
        self.found = {
            "counters": [store.own_counters(one) for one in CONTROL_PLANES],
            "of others": [store.counted_elsewhere(one, "n1", "i1") for one in CONTROL_PLANES],
            "decisions": store.decisions(past, future),
            "today": store.decisions(NOON, NOON + DAY),
            "groups": store.refusals(),
            "pets": store.refusals(api="pets/1.0", since=NOON + HOUR),
            "others": store.other_refusals(),
            "allowed": store.allowed_origins(),
            "seen": store.seen_origins(),
        }


# Counts are multiples of 1/4, whose sums are exact in any order.
quarters = st.integers(1, 400).map(lambda number: number / 4)
moments = st.integers(0, 60 * 24 * 3).map(lambda minutes: NOON + timedelta(minutes=minutes))
keys = st.builds(
    group_key,
    st.integers(0, 6).map(lambda number: f"https://{number}.example"),
    st.sampled_from(APIS),
    reason=st.sampled_from(["origin-refused", "method-refused"]),
    observed=st.booleans(),
)
groups: st.SearchStrategy[GroupDelta] = st.builds(
    group,
    keys,
    quarters,
    moments,
    st.sets(st.integers(0, 30)),
    st.builds(
        SeenIn, st.sampled_from(["", "/a"]), st.lists(st.sampled_from("abcdefg"), max_size=3).map(tuple)
    ),
    quarters,
)
others = st.builds(
    OtherRefusals,
    st.sampled_from(APIS),
    st.just("origin-refused"),
    st.booleans(),
    st.integers(1, 9),
    quarters,
    quarters,
    moments,
)
allowed_origins = st.builds(
    allowed,
    st.integers(0, 6).map(lambda number: f"https://{number}.example"),
    quarters,
    moments,
    st.sampled_from(APIS),
)
processes = st.tuples(st.sampled_from(NODES), st.sampled_from(INCARNATIONS))
counter_keys = st.builds(
    CounterKey, st.sampled_from(NODES), st.sampled_from(INCARNATIONS), st.sampled_from(SERIES)
)
batches = st.builds(
    TelemetryBatch,
    st.sampled_from(CONTROL_PLANES),
    st.just(NOON),
    st.dictionaries(counter_keys, st.integers(1, 50), max_size=6),
    st.lists(processes, max_size=1),
    st.lists(groups, max_size=8),
    st.lists(allowed_origins, max_size=5),
    st.lists(others, max_size=2),
    st.uuids().map(str),
)
actions: st.SearchStrategy[list[Action]] = st.lists(
    st.one_of(
        st.builds(Add, batches, st.integers(1, 2)),
        st.builds(Add, batches, st.integers(1, 2)),
        st.builds(Dispose, st.integers(0, 100), st.booleans()),
        st.builds(
            Prune,
            st.sampled_from([HOUR, 2 * DAY, 9 * DAY]),
            st.sampled_from([DAY, 30 * DAY]),
            st.sampled_from([None, ("pets/1.0",), ()]),
        ),
    ),
    min_size=1,
    max_size=8,
)
sequences = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def check(store: DatabaseStore, performed: list[Action]) -> None:
    """Perform the actions on the database and in memory."""
    clock, other_clock = Clock(), Clock()
    database = DatabaseTelemetryStore(store, LIMITS, clock)
    memory = InMemoryTelemetryStore(LIMITS, other_clock)
    for action in performed:
        assert action(database, clock) == action(memory, other_clock)
        assert Seen(database).found == Seen(memory).found


@contextmanager
def new_sqlite(template: Path) -> Iterator[DatabaseStore]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(template, folder)
        with open_store(SqliteDirectory(Path(folder))) as store:
            yield store.catalogue


@given(actions)
@settings(sequences, max_examples=15)
def test_sqlite_keeps_what_memory_keeps(migrated_file: Path, performed: list[Action]) -> None:
    with new_sqlite(migrated_file) as store:
        check(store, performed)


@given(actions)
@settings(sequences, max_examples=6)
def test_postgresql_keeps_what_memory_keeps(database: PostgresqlUrl, performed: list[Action]) -> None:
    with open_store(database) as store:
        with store.catalogue.writing() as connection:
            for table in reversed(metadata.sorted_tables):
                if table is not head:
                    connection.execute(delete(table))
        check(store.catalogue, performed)


@given(st.lists(batches, max_size=10))
@settings(sequences, max_examples=30)
def test_nothing_is_lost_or_counted_twice(added: list[TelemetryBatch]) -> None:
    """The sums, from the batches alone."""
    store = InMemoryTelemetryStore(LIMITS)
    reported: dict[CounterKey, int] = {}
    refusals = allowed_counts = 0.0
    for batch in added:
        store.add_telemetry(batch)
        for key, value in batch.counters.items():
            reported[key] = max(reported.get(key, 0), value)
        refusals += sum(one.count for one in batch.groups) + sum(one.count for one in batch.others)
        allowed_counts += sum(one.count for one in batch.allowed)
    for series in SERIES:
        assert of_series(reported, series) == sum(
            of_series(store.own_counters(one), series) for one in CONTROL_PLANES
        )
        decided = store.decisions(NOON, NOON + HOUR)
        assert decided.get((NOON, series), 0) == of_series(reported, series)
    kept = store.refusals()
    assert sum(one.count for one in kept) + sum(one.count for one in store.other_refusals()) == refusals
    assert len(kept) <= LIMITS.groups
    assert sum(one.count for one in store.allowed_origins()) <= allowed_counts
    assert len(store.allowed_origins()) <= LIMITS.allowed


def of_series(counters: object, series: DecisionSeries) -> int:
    assert isinstance(counters, dict)
    return sum(value for key, value in counters.items() if key.series == series)
