"""Opening a store: migrate the tables, read the catalogue, start the listener; and the directory lock."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO

from sqlalchemy import Engine

from crossgate.service.errors import StoreUnavailable
from crossgate.service.log import Log
from crossgate.store.location import PostgresqlUrl, SqliteDirectory, StoreLocation
from crossgate.store.migrate import migrate
from crossgate.store.private_directory import LOCK_FILE, make_file, open_directory
from crossgate.store.sessions import SessionTable
from crossgate.store.sqlite import sqlite_engine
from crossgate.store.store import DatabaseStore, OnBatch
from crossgate.store.telemetry import DatabaseTelemetryStore
from crossgate.store.tokens import TokenTable


@dataclass(frozen=True, slots=True)
class Store:
    """An open store: catalogue, tokens, sessions and telemetry of one database."""

    catalogue: DatabaseStore
    tokens: TokenTable
    sessions: SessionTable
    telemetry: DatabaseTelemetryStore


@contextmanager
def open_store(location: StoreLocation, on_batch: OnBatch | None = None) -> Iterator[Store]:
    """The store, open until the context ends.

    While the catalogue is read, ``on_batch`` is called with the part read so far. With PostgreSQL, revisions
    of other control planes are read in the background.

    Raises:
        StoreUnavailable: the database cannot be reached, or a newer version migrated it.
        InvalidChange: an object in it cannot be read by this version.

    """
    with ExitStack() as stack:
        engine = engine_for(location)
        stack.callback(engine.dispose)
        migrate(engine)
        catalogue = DatabaseStore(engine, on_batch)
        tokens = TokenTable(catalogue)
        if isinstance(location, PostgresqlUrl):
            from crossgate.store.listener import Listener

            stack.enter_context(Listener(engine, catalogue.reachable, catalogue.refresh))
        yield Store(catalogue, tokens, SessionTable(catalogue), DatabaseTelemetryStore(catalogue))


def engine_for(location: StoreLocation) -> Engine:
    """A new engine for the database; nothing is connected yet."""
    match location:
        case SqliteDirectory(path):
            return sqlite_engine(path)
        case PostgresqlUrl(url):
            # Loads psycopg (0.1 s), which SQLite does not need.
            from crossgate.store.postgresql import postgresql_engine

            return postgresql_engine(url)


@contextmanager
def directory_lock(location: StoreLocation) -> Iterator[None]:
    """An exclusive lock on a SQLite directory, for the time that a control plane runs on it.

    A second control plane on the directory would not notice what the first one stores. Commands that only
    read, or write once, need no lock. The kernel releases the lock of a process that dies. PostgreSQL needs
    no lock.

    Raises:
        StoreUnavailable: another control plane holds the lock, or the directory cannot be used.

    """
    match location:
        case PostgresqlUrl():
            yield
        case SqliteDirectory(path):
            warning = open_directory(path)
            if warning is not None:
                Log("store").warning(warning)
            make_file(path / LOCK_FILE)
            with (path / LOCK_FILE).open() as file:
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
