"""The catalogue in a database: one writer at a time, readers served from memory, observers of new heads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, RLock
from time import perf_counter

from sqlalchemy import Connection, Engine

from crossgate.catalogue.model import Catalogue
from crossgate.service.errors import StoreUnavailable
from crossgate.service.loading import load_in_batches, parse_objects
from crossgate.service.observers import Observers
from crossgate.service.ports import (
    NodeRollout,
    Proposal,
    RecordedObject,
    RecordedRevision,
    Revision,
    RevisionQuery,
)
from crossgate.service.snapshot import Snapshot
from crossgate.store import queries
from crossgate.store.db_errors import RETRY, translated_errors
from crossgate.store.sqlite import WRITING
from crossgate.store.write_turns import NoTurns, WriteTurns
from crossgate.store.writes import add_revision, lock_head, write_rollouts

OnBatch = Callable[[Catalogue], None]
"""Called with the part of a catalogue that has been read so far."""


@dataclass(frozen=True, slots=True)
class StoreOperation:
    """One transaction: ``read``, ``write``, ``telemetry`` or, of a revision, ``commit``."""

    kind: str
    seconds: float
    failed: bool
    """Whether the database failed. A refused change is not a failure."""


class DatabaseStore:
    """A :class:`~crossgate.service.ports.WatchedStore` in a database whose tables are up to date."""

    def __init__(self, engine: Engine, on_batch: OnBatch | None = None) -> None:
        """Read the newest revision, and call ``on_batch`` after each batch of APIs.

        Raises:
            StoreUnavailable: the database cannot be reached.
            InvalidChange: an object in it cannot be read by this version.

        """
        self.reachable = Event()
        """While it is not set, every use of the database fails at once. Otherwise callers would queue for a
        connection that cannot be made, and each would wait until all before it have timed out."""
        self.reachable.set()
        # In PostgreSQL's default level, each statement of a transaction sees what was committed before it.
        one_state = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
        self._reading = engine.execution_options(**one_state)
        self._writing = engine.execution_options(**{WRITING: True})
        # PostgreSQL locks rows, not the database.
        self._turns = WriteTurns() if engine.dialect.name == "sqlite" else NoTurns()
        self._heads = Observers[Snapshot]()
        self._pending_heads = Observers[Snapshot]()
        self._operations = Observers[StoreOperation]()
        # Held while the head moves, so that heads move, and observers are called, in order.
        self._moving = RLock()
        with self.reading() as connection:
            self._head = _load(connection, on_batch)

    @property
    def head(self) -> Snapshot:
        """The newest revision known to this process."""
        return self._head

    def watch(self, observer: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call ``observer`` with each new head."""
        return self._heads.add(observer)

    def watch_pending(self, observer: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call ``observer`` with each head that this process is about to commit."""
        return self._pending_heads.add(observer)

    def watch_operations(self, observer: Callable[[StoreOperation], None]) -> Callable[[], None]:
        """Call ``observer`` after each transaction, in its thread, until the returned function is called."""
        return self._operations.add(observer)

    def commit(self, decide: Callable[[Snapshot], Proposal]) -> Snapshot:
        """Store what ``decide`` makes of the newest revision."""
        with self._moving:
            newest = self._head
            try:
                with self.writing("commit") as connection:
                    newest = _catch_up(connection, newest, lock_head(connection))
                    proposal = decide(newest)
                    stored = _store(connection, newest, proposal)
                    if stored is not newest:
                        self._pending_heads.notify(stored)
                newest = stored
            finally:
                # Even if the commit failed: other control planes' revisions were read, and are in force.
                self._move(newest)
            return newest

    def require_writable(self) -> None:
        """Return: a database takes writes."""

    def refresh(self) -> Snapshot:
        """Read the revisions that other control planes stored."""
        with self._moving:
            with self.reading() as connection:
                newest = _catch_up(connection, self._head, queries.head_number(connection))
            self._move(newest)
            return newest

    def revisions(
        self, *, before: int | None = None, limit: int = 50, query: RevisionQuery | None = None
    ) -> Sequence[Revision]:
        """Revisions older than ``before`` that match the query, the newest first."""
        with self.reading() as connection:
            return queries.revisions_before(connection, before, limit, query or RevisionQuery())

    def revision(self, number: int, *, limit: int | None = None) -> RecordedRevision | None:
        """One revision with its difference, or with a part of it."""
        with self.reading() as connection:
            found = queries.one_revision(connection, number)
            if found is None:
                return None
            return RecordedRevision(found, queries.difference_of(connection, number, limit))

    def objects_at(self, number: int, *, changed_since: bool = False) -> Sequence[RecordedObject]:
        """Objects as they were at a revision."""
        with self.reading() as connection:
            if changed_since:
                return queries.objects_before(connection, number)
            return queries.objects_at(connection, number)

    def record_rollouts(self, rollouts: Mapping[int, Iterable[NodeRollout]]) -> None:
        """Store what nodes made of each revision, in one transaction."""
        with self._moving, self.writing() as connection:
            write_rollouts(connection, rollouts)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database."""
        with self._observed("read"), translated_errors(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, kind: str = "write", *, hurry: bool = True) -> Iterator[Connection]:
        """A transaction that commits at the end, and rolls back on any exception.

        Without ``hurry``, it begins when no other writer of this process waits.
        """
        turn = self._turns.take(hurry=hurry)
        with self._observed(kind), turn, translated_errors(), self._writing.begin() as connection:
            yield connection

    @contextmanager
    def _observed(self, kind: str) -> Iterator[None]:
        began = perf_counter()
        failed = False
        try:
            self._require_reachable()
            yield
        except StoreUnavailable:
            failed = True
            raise
        finally:
            self._operations.notify(StoreOperation(kind, perf_counter() - began, failed))

    def _require_reachable(self) -> None:
        if not self.reachable.is_set():
            raise StoreUnavailable("the database does not answer", RETRY)

    def _move(self, newest: Snapshot) -> None:
        if newest is not self._head:
            self._head = newest
            self._heads.notify(newest)


def _store(connection: Connection, base: Snapshot, proposal: Proposal) -> Snapshot:
    if not proposal.difference:
        return base
    number = base.revision + 1
    add_revision(connection, number, proposal)
    return base.advance(number, {(one.kind, one.key): one.after for one in proposal.difference})


def _load(connection: Connection, on_batch: OnBatch | None = None) -> Snapshot:
    number = queries.head_number(connection)
    catalogue = Catalogue()
    others, apis = (queries.current_objects(connection, apis=one) for one in (False, True))
    for catalogue in load_in_batches(others, apis):
        if on_batch is not None:
            on_batch(catalogue)
    return Snapshot.of(number, catalogue)


def _catch_up(connection: Connection, known: Snapshot, number: int) -> Snapshot:
    """The snapshot at ``number``, the newest revision; reads only what changed since ``known``.

    A database behind ``known`` was restored from a backup. Its history differs, so everything is read again.
    """
    if number == known.revision:
        return known
    if number < known.revision:
        return _load(connection)
    return known.advance(number, parse_objects(queries.objects_since(connection, known.revision)))
