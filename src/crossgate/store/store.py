"""The store: one writer at a time, readers from memory, and everybody told of what is new."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event, RLock

from sqlalchemy import Connection, Engine, func, select

from crossgate.catalogue.model import Catalogue
from crossgate.service.errors import StoreUnavailable
from crossgate.service.loading import read_in_batches, read_objects
from crossgate.service.ports import NodeRollout, Proposal, RecordedObject, RecordedRevision, Revision, Watcher
from crossgate.service.snapshot import Snapshot
from crossgate.service.watchers import Watchers
from crossgate.store import queries
from crossgate.store.db_errors import RETRY, translated_errors
from crossgate.store.queries import current_objects, objects_since
from crossgate.store.sqlite import WRITING
from crossgate.store.writes import CHANNEL, add_revision, head_number, locked_head_number, write_rollouts

OnBatch = Callable[[Catalogue], None]
"""Is told of a catalogue what has been read of it so far."""


class DatabaseStore:
    """A :class:`~crossgate.service.ports.CatalogueStore` in a database whose tables are up to date."""

    def __init__(
        self, engine: Engine, reachable: Event | None = None, on_batch: OnBatch | None = None
    ) -> None:
        """Read the newest revision; ``on_batch`` is called with what has been read of its catalogue so far.

        While ``reachable`` is there and not set, what needs the database is refused at once: of many who wait
        for a connection that cannot be made, each would wait for all before it.

        Raises:
            StoreUnavailable: the database cannot be reached.
            InvalidChange: an object in it cannot be read by this version.

        """
        self._reachable = reachable
        # Of several statements each would see what was committed until then (PostgreSQL's default).
        snapshots = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
        self._reading = engine.execution_options(**snapshots)
        self._writing = engine.execution_options(**{WRITING: True})
        self._watchers = Watchers()
        self._foreseeing = Watchers()
        # Whoever holds it may move the head; so heads move, and watchers are told, in order.
        self._moving = RLock()
        with self.reading() as connection:
            self._head = load(connection, on_batch)

    @property
    def head(self) -> Snapshot:
        """The newest revision known here."""
        return self._head

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call ``watcher`` with each new head."""
        return self._watchers.add(watcher)

    def watch_pending(self, watcher: Watcher) -> Callable[[], None]:
        """Call ``watcher`` with each head that is about to be stored here."""
        return self._foreseeing.add(watcher)

    def commit(self, decide: Callable[[Snapshot], Proposal]) -> Snapshot:
        """Store what ``decide`` makes of the newest revision."""
        with self._moving:
            newest = self._head
            try:
                with self.writing() as connection:
                    newest = catch_up(connection, newest, locked_head_number(connection))
                    proposal = decide(newest)
                    stored = _store(connection, newest, proposal)
                    if stored is not newest:
                        self._foreseeing.tell(stored)
                newest = stored
            finally:
                # Also if nothing came of it: what others stored meanwhile is worth knowing.
                self._move(newest)
            return newest

    def require_writable(self) -> None:
        """Nothing stands against it."""

    def refresh(self) -> Snapshot:
        """Take over what other control planes stored."""
        with self._moving:
            with self.reading() as connection:
                newest = catch_up(connection, self._head, head_number(connection))
            self._move(newest)
            return newest

    def revisions(self, *, before: int | None = None, limit: int = 50) -> Sequence[Revision]:
        """Revisions older than ``before``, the newest first."""
        with self.reading() as connection:
            return queries.revisions_before(connection, before, limit)

    def revision(self, number: int) -> RecordedRevision | None:
        """One revision with its difference."""
        with self.reading() as connection:
            found = queries.one_revision(connection, number)
            if found is None:
                return None
            return RecordedRevision(found, queries.difference_of(connection, number))

    def objects_at(self, number: int, *, changed_since: bool = False) -> Sequence[RecordedObject]:
        """Objects as they were at a revision."""
        with self.reading() as connection:
            if changed_since:
                return queries.objects_before(connection, number)
            return queries.objects_at(connection, number)

    def record_rollouts(self, outcomes: Mapping[int, Iterable[NodeRollout]]) -> None:
        """Note what nodes made of each revision, in one transaction."""
        with self._moving, self.writing() as connection:
            write_rollouts(connection, outcomes)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database."""
        self._see_that_it_is_reachable()
        with translated_errors(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is on disk when it ended well, and nowhere if it did not."""
        self._see_that_it_is_reachable()
        with translated_errors(), self._writing.begin() as connection:
            yield connection

    def _see_that_it_is_reachable(self) -> None:
        if self._reachable is not None and not self._reachable.is_set():
            raise StoreUnavailable("its database does not answer", RETRY)

    def _move(self, newest: Snapshot) -> None:
        if newest is not self._head:
            self._head = newest
            self._watchers.tell(newest)


def _store(connection: Connection, base: Snapshot, proposal: Proposal) -> Snapshot:
    if not proposal.difference:
        return base
    number = base.revision + 1
    add_revision(connection, number, proposal)
    if connection.dialect.name == "postgresql":
        # Sent when, and only if, the transaction is committed.
        connection.execute(select(func.pg_notify(CHANNEL, str(number))))
    return base.advance(number, {(one.kind, one.key): one.after for one in proposal.difference})


def load(connection: Connection, on_batch: OnBatch | None = None) -> Snapshot:
    """The newest revision, read whole; ``on_batch`` is called with what has been read of it so far.

    Raises:
        InvalidChange: an object in the database cannot be read by this version.

    """
    number = head_number(connection)
    catalogue = Catalogue()
    others, apis = (current_objects(connection, apis=one) for one in (False, True))
    for catalogue in read_in_batches(others, apis):
        if on_batch is not None:
            on_batch(catalogue)
    return Snapshot.of(number, catalogue)


def catch_up(connection: Connection, known: Snapshot, number: int) -> Snapshot:
    """The snapshot at ``number``, the database's newest revision, from one that is known here.

    Costs what was changed in between. A database that is behind what is known was restored from a backup: its
    history is another, and nothing of ours can be relied on.
    """
    if number == known.revision:
        return known
    if number < known.revision:
        return load(connection)
    return known.advance(number, read_objects(objects_since(connection, known.revision)))
