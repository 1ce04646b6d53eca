"""Opening a store: its tables brought up to date, its catalogue read, its listener started."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.engine import Engine

from crossgate.store.location import PostgresqlUrl, SqliteDirectory, StoreLocation, engine_for
from crossgate.store.memory import OnBatch
from crossgate.store.migrate import migrate
from crossgate.store.store import DatabaseStore
from crossgate.store.token_table import TokenTable


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
