"""Opening a store: its tables brought up to date, its catalogue read, its listener started."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

from sqlalchemy.engine import Engine

from crossgate.service.errors import StoreUnavailable
from crossgate.store.location import PostgresqlUrl, SqliteDirectory, StoreLocation, engine_for
from crossgate.store.migrate import migrate
from crossgate.store.sqlite import make_file
from crossgate.store.store import DatabaseStore, OnBatch
from crossgate.store.tokens import TokenTable


@dataclass(frozen=True, slots=True)
class Store:
    """What one database keeps."""

    catalogue: DatabaseStore
    tokens: TokenTable
    reachable: threading.Event
    """Set while the database answers, as far as is known; SQLite is always taken to."""


@contextmanager
def open_store(location: StoreLocation, on_batch: OnBatch | None = None) -> Iterator[Store]:
    """The store, for as long as the context lasts.

    While its catalogue is read, ``on_batch`` is called with what there is of it so far. With PostgreSQL, what
    other control planes store arrives by itself.

    Raises:
        StoreUnavailable: the database cannot be reached, or was written by a newer version.
        InvalidChange: an object in it cannot be read by this version.

    """
    engine: Engine = engine_for(location)
    try:
        migrate(engine)
        reachable = threading.Event()
        reachable.set()
        catalogue = DatabaseStore(engine, reachable, on_batch)
        store = Store(catalogue, TokenTable(catalogue), reachable)
        match location:
            case PostgresqlUrl():
                # Loads psycopg, which SQLite has no use for.
                from crossgate.store.listener import Listener

                with Listener(engine, reachable, catalogue.refresh):
                    yield store
            case SqliteDirectory():
                yield store
    finally:
        engine.dispose()


LOCK_NAME: Final = "control-plane.lock"


@contextmanager
def directory_lock(location: StoreLocation) -> Iterator[None]:
    """Held by a control plane while it runs; commands that only look or write once do without.

    The system takes the lock back from a process that dies, however it dies.

    Raises:
        StoreUnavailable: a control plane runs there already, or the directory cannot be written.

    """
    match location:
        case PostgresqlUrl():
            yield
        case SqliteDirectory(path):
            with make_file(path, LOCK_NAME).open() as file:
                _lock(file, location)
                yield


def _lock(file: IO[str], location: SqliteDirectory) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StoreUnavailable(
            f"another control plane runs on {location}",
            "Stop it, or give this one another directory; several control planes need PostgreSQL",
        ) from error
