"""Opening a store: migrate the tables, read the catalogue, start the listener; and the directory lock."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

from crossgate.service.errors import StoreUnavailable
from crossgate.store.location import PostgresqlUrl, SqliteDirectory, StoreLocation, engine_for
from crossgate.store.migrate import migrate
from crossgate.store.sqlite import make_file
from crossgate.store.store import DatabaseStore, OnBatch
from crossgate.store.tokens import TokenTable

_LOCK_FILE: Final = "control-plane.lock"


@dataclass(frozen=True, slots=True)
class Store:
    """An open store: catalogue and tokens of one database."""

    catalogue: DatabaseStore
    tokens: TokenTable
    reachable: threading.Event
    """Set while the database answers, as far as the listener knows; always set with SQLite."""


@contextmanager
def open_store(location: StoreLocation, on_batch: OnBatch | None = None) -> Iterator[Store]:
    """The store, open until the context ends.

    While the catalogue is read, ``on_batch`` is called with the part read so far. With PostgreSQL, revisions
    of other control planes are read in the background.

    Raises:
        StoreUnavailable: the database cannot be reached, or a newer version migrated it.
        InvalidChange: an object in it cannot be read by this version.

    """
    engine = engine_for(location)
    try:
        migrate(engine)
        reachable = threading.Event()
        reachable.set()
        catalogue = DatabaseStore(engine, reachable, on_batch)
        store = Store(catalogue, TokenTable(catalogue), reachable)
        match location:
            case PostgresqlUrl():
                # Loads psycopg (0.1 s), which SQLite does not need.
                from crossgate.store.listener import Listener

                with Listener(engine, reachable, catalogue.refresh):
                    yield store
            case SqliteDirectory():
                yield store
    finally:
        engine.dispose()


@contextmanager
def directory_lock(location: StoreLocation) -> Iterator[None]:
    """An exclusive lock on a SQLite directory, for the time that a control plane runs on it.

    A second control plane on the directory would not notice what the first one stores. Commands that only
    read, or write once, need no lock. The kernel releases the lock of a process that dies. PostgreSQL needs
    no lock.

    Raises:
        StoreUnavailable: another control plane holds the lock, or the directory is not writable.

    """
    match location:
        case PostgresqlUrl():
            yield
        case SqliteDirectory(path):
            with make_file(path, _LOCK_FILE).open() as file:
                _lock(file, location)
                yield


def _lock(file: IO[str], location: SqliteDirectory) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StoreUnavailable(
            f"another control plane uses {location}",
            "Stop it, or choose another directory; several control planes need PostgreSQL",
        ) from error
