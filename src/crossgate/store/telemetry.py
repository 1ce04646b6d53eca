"""Telemetry in the database of the catalogue, in transactions so short that changes hardly wait for them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import groupby
from threading import RLock
from time import perf_counter, sleep
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, update

from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.errors import RESTORE, StoreUnavailable
from crossgate.service.ports import CounterKey, StoredRefusals, TelemetryBatch, utc_now
from crossgate.service.refusals import (
    AllowedOrigin,
    Disposition,
    OtherRefusals,
    RefusalGroup,
    SeenOrigin,
    TelemetryLimits,
)
from crossgate.service.telemetry_rules import KEY_BYTES, bounded, day_of
from crossgate.service.traffic import RefusedCounts, TrafficCounts
from crossgate.store import counters, refusal_rows
from crossgate.store.refusal_rows import day_number
from crossgate.store.store import DatabaseStore
from crossgate.store.tables import batches, client_keys, groups
from crossgate.store.telemetry_pruning import Pruning, chunks

COUNTERS_AT_ONCE: Final = 200
"""Counters that one transaction sets."""
GROUPS_AT_ONCE: Final = 25
"""Groups that one transaction changes: they are read, merged and written."""
_LONGEST_PAUSE: Final = 0.02
_LOCK: Final = 0x63677466
"""The PostgreSQL advisory lock that serialises writers of telemetry; they do not lock the head."""


class DatabaseTelemetryStore:
    """A :class:`~crossgate.service.ports.TelemetryStore` in the database of a catalogue."""

    def __init__(
        self,
        store: DatabaseStore,
        limits: TelemetryLimits | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._pruning = Pruning(self._reading, self._writing_some, limits or TelemetryLimits(), clock)
        # Batches of one process do not mix; readers do not take it.
        self._adding = RLock()
        self._decided = 0
        """Decisions about groups by this process."""

    def own_counters(self, control_plane: str) -> Mapping[CounterKey, int]:
        """The parts that a control plane counted."""
        with self._reading() as connection:
            return counters.own_counters(connection, control_plane)

    def counted_elsewhere(
        self, control_plane: str, node: str, incarnation: str
    ) -> Mapping[DecisionSeries, int]:
        """What other control planes counted of one process."""
        with self._reading() as connection:
            return counters.counted_elsewhere(connection, control_plane, (node, incarnation))

    def add_telemetry(self, batch: TelemetryBatch) -> Mapping[CounterKey, int]:
        """Store a batch, a few rows in each transaction.

        Counters need no protection against being added twice: what was counted is not new. What is added to
        groups is numbered, and the number of the last addition is stored with it.
        """
        batch = bounded(batch)
        with self._adding:
            counted: dict[CounterKey, int] = {}
            for reported in chunks(sorted(batch.counters.items(), key=_process_of), COUNTERS_AT_ONCE):
                counted |= self._count(batch, reported)
            if batch.ended:
                with self._writing() as connection:
                    counters.end_processes(connection, batch.control_plane, batch.ended)
            for number, add in enumerate(_additions(batch), 1):
                with self._writing_some() as connection:
                    if _is_new(connection, batch, number):
                        add(connection)
            if batch.groups:
                self._pruning.drop_groups()
            if batch.allowed:
                self._pruning.drop_allowed()
            return counted

    def decisions(
        self, since: datetime, until: datetime, *, api: str | None = None
    ) -> Mapping[tuple[datetime, DecisionSeries], int]:
        """Decisions of all control planes by hour."""
        with self._reading() as connection:
            return counters.decisions_between(connection, since, until, api)

    def traffic(self, since: datetime, until: datetime, apis: Collection[str] | None = None) -> TrafficCounts:
        """Decisions of all control planes by kind."""
        with self._reading() as connection:
            if apis is None:
                return counters.traffic_between(connection, since, until)
            return counters.traffic_of_apis(connection, since, until, apis)

    def refused_by_api(self, since: datetime, until: datetime, apis: Collection[str]) -> RefusedCounts:
        """Refused and observed requests of each of these APIs."""
        with self._reading() as connection:
            return counters.refused_by_api(connection, since, until, apis)

    def refusals(self, *, since: datetime | None = None, api: str | None = None) -> Sequence[RefusalGroup]:
        """The groups, the most frequent first."""
        with self._reading() as connection:
            found = refusal_rows.groups_since(connection, since, api)
        return sorted(found, key=lambda one: (-one.count, one.key.id))

    def all_refusals(self, known: StoredRefusals | None = None) -> StoredRefusals:
        """All groups, without their hours; only those are read that changed."""
        with self._reading() as connection:
            # The fingerprint comes first: what changes while the rest is read, changes it too.
            fingerprint = self._decided, refusal_rows.fingerprint(connection)
            if known is not None and known.fingerprint == fingerprint:
                return known
            marks = refusal_rows.group_marks(connection)
            kept = known or StoredRefusals()
            changed = [id_ for id_, mark in marks.items() if kept.marks.get(id_) != mark]
            few = len(changed) < len(marks) / 2
            found = refusal_rows.groups_without_hours(connection, changed if few else None)
        groups = {id_: found.get(id_) or kept.groups.get(id_) for id_ in marks}
        present = {id_: one for id_, one in groups.items() if one is not None}
        return StoredRefusals(present, fingerprint, {id_: marks[id_] for id_ in present})

    def refusal(self, group_id: str) -> RefusalGroup | None:
        """The group with that id."""
        with self._reading() as connection:
            return refusal_rows.one_group(connection, group_id)

    def other_refusals(
        self, *, since: datetime | None = None, api: str | None = None
    ) -> Sequence[OtherRefusals]:
        """Refusals whose groups were not kept."""
        with self._reading() as connection:
            return refusal_rows.others_since(connection, since, api)

    def allowed_origins(self, *, api: str | None = None) -> Sequence[AllowedOrigin]:
        """Origins that were allowed, the most frequent first."""
        with self._reading() as connection:
            found = refusal_rows.allowed_of(connection, api)
        return sorted(found, key=lambda one: (-one.count, one.key.id))

    def seen_origins(self, origins: Collection[str] | None = None) -> Sequence[SeenOrigin]:
        """Where and when these origins were allowed."""
        with self._reading() as connection:
            return sorted(refusal_rows.seen_of(connection, origins))

    def dispose(self, group_id: str, disposition: Disposition | None) -> RefusalGroup | None:
        """Set what was decided about a group."""
        values = refusal_rows.disposition_values(disposition)
        with self._writing() as connection:
            connection.execute(update(groups).where(groups.c.id == group_id).values(values))
            found = refusal_rows.one_group(connection, group_id)
        self._decided += 1
        return found

    def client_key(self, day: datetime) -> bytes:
        """The secret key of that day; the first control plane that asks creates it."""
        number = day_number(day_of(day))
        newest = select(client_keys.c.secret).order_by(client_keys.c.day.desc()).limit(1)
        with self._reading() as connection:
            known: bytes | None = connection.execute(newest.where(client_keys.c.day >= number)).scalar()
        if known is not None:
            return known
        with self._writing() as connection:
            known = connection.execute(newest.where(client_keys.c.day >= number)).scalar()
            if known is None:
                known = secrets.token_bytes(KEY_BYTES)
                connection.execute(delete(client_keys))
                connection.execute(insert(client_keys).values(day=number, secret=known))
            return known

    def prune_telemetry(self, before: datetime, apis: Sequence[str] | None = None) -> None:
        """Remove what was last seen before that time, and counters of deleted APIs."""
        with self._adding:
            self._pruning.prune(before, apis)

    def _count(
        self, batch: TelemetryBatch, reported: Sequence[tuple[CounterKey, int]]
    ) -> dict[CounterKey, int]:
        """Count in one transaction. Whatever needs no database is done before and after it."""
        keys = {(key.node, key.incarnation, counters.series_id(key.series)): key for key, _ in reported}
        known = {id_: key.series for (*_, id_), key in keys.items()}
        by_process = {
            process: {counters.series_id(key.series): value for key, value in of_process}
            for process, of_process in groupby(reported, _process_of)
        }
        with self._writing_some() as connection:
            parts = {
                process: counters.count(
                    connection, batch.control_plane, batch.hour, process, values, known, batch.minute
                )
                for process, values in by_process.items()
            }
        return {keys[*process, id_]: part for process, found in parts.items() for id_, part in found.items()}

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _corruption_reported(), self._store.reading() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _corruption_reported(), self._store.writing("telemetry", hurry=False) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            yield connection

    @contextmanager
    def _writing_some(self) -> Iterator[Connection]:
        """One of many transactions, and a pause as long as it took.

        A change of the catalogue waits for the lock of SQLite, and for the interpreter, which one thread uses
        at a time. Without pauses, a change at the time of a large batch took 2 to 3 times as long.
        """
        began = perf_counter()
        with self._writing() as connection:
            yield connection
        sleep(min(perf_counter() - began, _LONGEST_PAUSE))


def _process_of(reported: tuple[CounterKey, int]) -> tuple[str, str]:
    key, _ = reported
    return key.node, key.incarnation


def _additions(batch: TelemetryBatch) -> Iterator[Callable[[Connection], None]]:
    """What a batch adds, in the same order and pieces whenever the batch is added."""
    for some in chunks(batch.groups, GROUPS_AT_ONCE):
        yield partial(refusal_rows.add_groups, deltas=some)
    for allowed in chunks(batch.allowed, GROUPS_AT_ONCE):
        yield partial(refusal_rows.add_allowed, deltas=allowed)
    for others in chunks(batch.others, GROUPS_AT_ONCE):
        yield partial(refusal_rows.add_others, more=others)


def _is_new(connection: Connection, batch: TelemetryBatch, number: int) -> bool:
    """Whether an addition of the batch is not stored yet; it will be with this transaction."""
    own = batches.c.control_plane == batch.control_plane
    known = connection.execute(select(batches.c.batch, batches.c.parts).where(own)).first()
    values = {"batch": batch.id, "parts": number, "hour": counters.hour_number(batch.hour)}
    if known is None:
        connection.execute(insert(batches).values(control_plane=batch.control_plane, **values))
        return True
    if known.batch == batch.id and known.parts >= number:
        return False
    connection.execute(update(batches).where(own).values(values))
    return True


@contextmanager
def _corruption_reported() -> Iterator[None]:
    # A value of a type that its column cannot have; SQLite stores it, and reading it fails.
    try:
        yield
    except (TypeError, ValueError) as error:
        raise StoreUnavailable("stored telemetry is corrupt", RESTORE) from error
