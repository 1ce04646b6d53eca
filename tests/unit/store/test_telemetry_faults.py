"""Telemetry while the database fails, is full, is corrupt, or is written by several at once."""

from __future__ import annotations

import resource
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import Connection, delete
from tests.catalogues import api
from tests.postgresql import Server
from tests.telemetry import ALLOWED, DAY, HOUR, NOON, REFUSED, allowed, counted, dismissal, group, group_key
from tests.unit.store.conftest import closing as disposed

from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import PutApi
from crossgate.service.errors import StoreUnavailable
from crossgate.service.ports import CounterKey, TelemetryBatch, TelemetryStore
from crossgate.service.refusals import OtherRefusals, TelemetryLimits
from crossgate.store import PostgresqlUrl, SqliteDirectory, Store, StoreLocation, open_store
from crossgate.store.private_directory import FILE_NAME
from crossgate.store.sqlite import sqlite_engine
from crossgate.store.store import DatabaseStore
from crossgate.store.tables import head, metadata
from crossgate.store.telemetry import DatabaseTelemetryStore
from crossgate.store.telemetry_pruning import Pruning
from crossgate.store.write_turns import WriteTurns

TIMEOUT = 60.0
GROUPS = 120
BATCH = TelemetryBatch(
    "a",
    NOON,
    {CounterKey("n1", "i1", REFUSED): 5, CounterKey("n1", "i1", ALLOWED): 7},
    groups=[group(group_key(f"https://{number}.example")) for number in range(GROUPS)],
    allowed=[allowed()],
    others=[OtherRefusals("pets/1.0", "origin-refused", False, 1, 4.0, 0.5, NOON)],
)


def is_stored_once(store: TelemetryStore) -> bool:
    return (
        store.own_counters("a") == BATCH.counters
        and sum(store.decisions(NOON, NOON + HOUR).values()) == 12
        and [one.count for one in store.refusals()] == [1.0] * GROUPS
        and [one.count for one in store.other_refusals()] == [4.0]
        and [one.count for one in store.allowed_origins()] == [1.0]
    )


class Unreliable(DatabaseStore):
    """Fails in its n-th transaction, before it commits or after."""

    failing: int | None = None
    answer_lost = False

    @contextmanager
    def writing(self, kind: str = "write", *, hurry: bool = True) -> Iterator[Connection]:
        if self.failing is not None:
            self.failing -= 1
        with super().writing(kind, hurry=hurry) as connection:
            yield connection
            if self.failing == 0 and not self.answer_lost:
                raise StoreUnavailable("gone", "Wait")
        if self.failing == 0:
            raise StoreUnavailable("the answer is lost", "Wait")


@pytest.mark.parametrize("answer_lost", [False, True])
def test_batch_is_completed_wherever_it_failed(directory: SqliteDirectory, answer_lost: bool) -> None:
    with disposed(sqlite_engine(directory.path)) as engine:
        for transaction in range(1, 20):
            catalogue = Unreliable(engine)
            store = DatabaseTelemetryStore(catalogue)
            catalogue.failing, catalogue.answer_lost = transaction, answer_lost
            try:
                store.add_telemetry(BATCH)
            except StoreUnavailable:
                store.add_telemetry(BATCH)
                assert is_stored_once(store)
            else:
                break
            catalogue.failing = None
            with catalogue.writing() as connection:
                for table in reversed(metadata.sorted_tables):
                    if table is not head:
                        connection.execute(delete(table))
        assert transaction == 9  # counters, five for the groups, allowed origins, others; then it succeeds


def test_full_disk_refuses_a_batch_and_loses_nothing(directory: SqliteDirectory) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_store(directory) as opened:
        service = CatalogueService(opened.catalogue)
        service.change([PutApi(api("pets"))], author="ann")
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
        try:
            with pytest.raises(StoreUnavailable):
                opened.telemetry.add_telemetry(BATCH)
            assert opened.telemetry.refusals() is not None
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        opened.telemetry.add_telemetry(BATCH)
        assert is_stored_once(opened.telemetry)
        service.change([PutApi(api("shop"))], author="ann")
    with open_store(directory) as again:
        assert is_stored_once(again.telemetry)
        assert again.catalogue.head.revision == 2


def test_outage_loses_nothing(database: PostgresqlUrl, server: Server) -> None:
    with open_store(database) as opened:
        store = opened.telemetry
        store.add_telemetry(counted({REFUSED: 3}))
        server.stop()
        try:
            calls: list[Callable[[], object]] = [
                lambda: store.add_telemetry(BATCH),
                lambda: store.own_counters("a"),
                store.refusals,
                store.other_refusals,
                store.allowed_origins,
                store.seen_origins,
                lambda: store.decisions(NOON, NOON + DAY),
                lambda: store.dispose(group_key().id, dismissal()),
                lambda: store.client_key(NOON),
                lambda: store.prune_telemetry(NOON),
            ]
            for call in calls:
                with pytest.raises(StoreUnavailable):
                    call()
        finally:
            server.start()
        assert opened.catalogue.reachable.wait(TIMEOUT)
        store.add_telemetry(BATCH)
        assert is_stored_once(store)


CORRUPT = [
    ("request", "{"),
    ("request", "[]"),
    ("request", '{"origin": 1}'),
    ("request", '{"origin": 1, "method": "GET", "headers": []}'),
    ("seen_in", "null"),
    ("seen_in", "[" * 100_000),
    ("registers", b"\xff\xff"),
    ("disposition", "forgiven"),
    ("last_seen", "yesterday"),
    ("requests", "many"),
    ("day", 10**12),
]


@pytest.mark.parametrize(("column", "value"), CORRUPT)
def test_corrupt_group_is_reported(directory: SqliteDirectory, column: str, value: object) -> None:
    with open_store(directory) as opened:
        opened.telemetry.add_telemetry(BATCH)
        with closing(sqlite3.connect(directory.path / FILE_NAME)) as connection:
            connection.execute(f"UPDATE refusal_groups SET {column} = ?", [value])  # noqa: S608 - a parameter of the test
            connection.commit()
        calls: list[Callable[[], object]] = [
            opened.telemetry.refusals,
            lambda: opened.telemetry.add_telemetry(TelemetryBatch("b", NOON, {}, groups=BATCH.groups)),
        ]
        for call in calls:
            with pytest.raises(StoreUnavailable, match="corrupt"):
                call()
        # The rest goes on.
        opened.telemetry.add_telemetry(counted({REFUSED: 9}))
        assert opened.telemetry.own_counters("a")[CounterKey("n1", "i1", REFUSED)] == 9


def test_everything_survives_a_restart(location: StoreLocation) -> None:
    with open_store(location) as opened:
        opened.telemetry.add_telemetry(BATCH)
        key = opened.telemetry.client_key(NOON)
    with open_store(location) as again:
        assert is_stored_once(again.telemetry)
        assert again.telemetry.client_key(NOON) == key


def test_control_planes_write_at_once(location: StoreLocation) -> None:
    """Two control planes get reports of one process, and refusals of the same groups; a third edits."""
    rounds = 8
    keys = [group_key(f"https://{number}.example") for number in range(8)]

    def write(store: Store, control_plane: str, number: int) -> object:
        counters = {CounterKey("n1", "i1", REFUSED): number * 10, CounterKey("n1", "i1", ALLOWED): number}
        groups = [group(key) for key in (keys if control_plane == "a" else reversed(keys))]
        return store.telemetry.add_telemetry(TelemetryBatch(control_plane, NOON, counters, groups=groups))

    with open_store(location) as one, open_store(location) as other, ThreadPoolExecutor(3) as pool:
        service = CatalogueService(one.catalogue)
        for number in range(1, rounds + 1):
            at_once: list[Future[object]] = [
                pool.submit(write, one, "a", number),
                pool.submit(write, other, "b", number),
                pool.submit(service.change, [PutApi(api(f"api-{number}"))], author="ann"),
            ]
            for done in at_once:
                done.result(TIMEOUT)
        assert one.catalogue.head.revision == rounds
        assert sum(one.telemetry.decisions(NOON, NOON + HOUR).values()) == rounds * 11
        assert [found.count for found in other.telemetry.refusals()] == [rounds * 2.0] * len(keys)


def test_keys_of_control_planes_that_ask_at_once_are_one(location: StoreLocation) -> None:
    with open_store(location) as one, open_store(location) as other, ThreadPoolExecutor(8) as pool:
        stores = [one.telemetry, other.telemetry] * 4
        assert len(set(pool.map(lambda store: store.client_key(NOON), stores))) == 1


def test_group_that_is_disposed_meanwhile_is_not_dropped(directory: SqliteDirectory) -> None:
    """An operator decides between the choice of what to drop and its removal."""
    with open_store(directory) as opened:
        opened.telemetry.add_telemetry(BATCH)
        reads = 0

        @contextmanager
        def reading() -> Iterator[Connection]:
            nonlocal reads
            reads += 1
            with opened.catalogue.reading() as connection:
                yield connection
            if reads == 2:  # of the sizes, of the groups to choose from
                for one in opened.telemetry.refusals():
                    opened.telemetry.dispose(one.key.id, dismissal())

        limits = TelemetryLimits(groups=60, groups_of_api=60)
        Pruning(reading, opened.catalogue.writing, limits, lambda: NOON).drop_groups()
        assert reads == 2
        assert len(opened.telemetry.refusals()) == GROUPS


def test_writer_in_a_hurry_goes_first() -> None:
    turns = WriteTurns()
    order: list[str] = []
    started = [threading.Event() for _ in "ab"]

    def write(name: str, event: threading.Event, *, hurry: bool) -> None:
        event.set()
        with turns.take(hurry=hurry):
            order.append(name)

    with turns.take(hurry=False):
        later = threading.Thread(target=write, args=("later", started[0]), kwargs={"hurry": False})
        later.start()
        assert started[0].wait(TIMEOUT)
        first = threading.Thread(target=write, args=("first", started[1]), kwargs={"hurry": True})
        first.start()
        assert started[1].wait(TIMEOUT)
        while not turns._in_a_hurry:
            threading.Event().wait(0.001)
    later.join(TIMEOUT)
    first.join(TIMEOUT)
    assert order == ["first", "later"]


def test_writer_does_not_wait_without_an_end() -> None:
    turns = WriteTurns(seconds=0.01)
    with turns.take(hurry=False):
        for hurry in (False, True):
            with pytest.raises(StoreUnavailable, match="have not finished"), turns.take(hurry=hurry):
                pass
    with turns.take(hurry=False):
        pass


def test_turn_is_free_again_after_an_error() -> None:
    turns = WriteTurns()
    with pytest.raises(ZeroDivisionError), turns.take(hurry=True):
        raise ZeroDivisionError
    with turns.take(hurry=False):
        pass


def test_removed_key_is_not_in_the_file(directory: SqliteDirectory) -> None:
    with open_store(directory) as opened:
        removed = opened.telemetry.client_key(NOON)
    assert any(removed in file.read_bytes() for file in directory.path.iterdir())
    with open_store(directory) as opened:
        DatabaseTelemetryStore(opened.catalogue, clock=lambda: NOON + DAY).prune_telemetry(NOON)
    assert not any(removed in file.read_bytes() for file in directory.path.iterdir())
