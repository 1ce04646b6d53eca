"""The SQLite engine: pragmas and transactions; docs/decisions/004-store.md gives the reasons."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from crossgate.store.private_directory import FILE_NAME, make_file, open_directory

BUSY_SECONDS: Final = 10
"""How long a writer waits for another process; the writers of one process queue before SQLite."""
WRITING: Final = "crossgate_writing"
"""Execution option of connections that will write."""


def sqlite_engine(directory: Path, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """A new engine for the database in ``directory``, which is created if missing."""
    open_directory(directory)
    file = directory / FILE_NAME
    make_file(file)
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(file)),
        connect_args={"timeout": busy_seconds, "check_same_thread": False},
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection, record: object) -> None:
    del record
    # Otherwise Python's driver begins transactions itself, and always deferred ones.
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        # A removed key for hashes of addresses must not be left in the file. Not every build has it on.
        "secure_delete = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once if another one wrote in between; the busy
    # timeout does not apply. So a transaction that will write takes the lock when it begins.
    writing = connection.get_execution_options().get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
