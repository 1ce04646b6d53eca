"""SQLite as the store wants it; why, is in docs/decisions."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from crossgate.service.errors import StoreUnavailable

FILE_NAME: Final = "catalogue.sqlite3"
BUSY_SECONDS: Final = 10
"""How long a writer waits for another process; within one process writers queue and never meet."""
WRITING: Final = "crossgate_writing"
"""Execution option of connections that are going to write."""


def make_file(directory: Path, name: str) -> Path:
    """The file of that name, made with its directory if it is not there, for this user only.

    Raises:
        StoreUnavailable: it cannot be made.

    """
    file = directory / name
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
    except OSError as error:
        raise StoreUnavailable(
            f"{file} cannot be written: {error.strerror}", "Name a directory that this user may write"
        ) from error
    return file


def sqlite_engine(directory: Path, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """An engine for the database in a directory, which is made if it is not there, for this user only."""
    file = make_file(directory, FILE_NAME)
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(file)),
        connect_args={"timeout": busy_seconds, "check_same_thread": False},
        paramstyle="named",  # as PostgreSQL's driver has it, see `prepared`
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, record: object) -> None:
    del record
    # Python's driver would begin transactions when it sees fit, and always deferred ones.
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once if somebody wrote in between: no busy
    # timeout helps it. So whoever is going to write takes the lock at the beginning.
    writing = connection.get_execution_options().get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
