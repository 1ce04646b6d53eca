"""Backups of a SQLite store while a gateway uses it: one consistent state, in one private file.

``VACUUM INTO`` copies one state in one read transaction (https://www.sqlite.org/lang_vacuum.html#vacuuminto):
writers go on, and pages that were freed, such as those of removed keys, are not in the copy.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError

from crossgate.diagnostics import Diagnostic
from crossgate.service.errors import RESTORE, ServiceError, StoreUnavailable
from crossgate.store.db_errors import translated_errors
from crossgate.store.location import SqliteDirectory
from crossgate.store.private_directory import FILE_NAME, open_directory
from crossgate.store.sqlite import BUSY_SECONDS

_NEW_FILE: Final = "Choose a new file in a directory that this user may write to"


def back_up(location: SqliteDirectory, file: Path) -> int:
    """Write the store to a new file with mode 0600, check it, and return the number of its newest revision.

    Raises:
        StoreUnavailable: the store cannot be read, or the backup cannot be written.
        ServiceError: the file exists or cannot be created.

    """
    source = location.path / FILE_NAME
    open_directory(location.path)
    with _new_file(file):
        with translated_errors(), _as_of_sqlalchemy():
            with closing(sqlite3.connect(source, timeout=BUSY_SECONDS, isolation_level=None)) as store:
                # An absolute path: to SQLite, names such as `file:x` and `:memory:` mean something else.
                store.execute("VACUUM INTO ?", (str(file.absolute()),))
            uri = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
            with closing(sqlite3.connect(uri, uri=True)) as copy:
                (state,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
                (revision,) = copy.execute("SELECT revision FROM head").fetchone()
        if state != "ok":
            raise StoreUnavailable(f"the database file is corrupt: {state}", RESTORE)
    return int(revision)


@contextmanager
def _as_of_sqlalchemy() -> Iterator[None]:
    # The store's own connections begin a transaction, in which SQLite refuses to vacuum.
    try:
        yield
    except sqlite3.Error as error:
        raise DBAPIError("VACUUM INTO", None, error) from error


@contextmanager
def _new_file(file: Path) -> Iterator[None]:
    """Create the file empty and private; on disk at the end, and removed after an error."""
    try:
        opened = os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        message = f"cannot create the backup: {error.strerror}"
        raise ServiceError(
            [Diagnostic("backup-file-unusable", message, _NEW_FILE, found=str(file))]
        ) from error
    try:
        yield
        # SQLite does not wait for the disk when it vacuums into another file.
        os.fsync(opened)
        folder = os.open(file.absolute().parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    finally:
        os.close(opened)
