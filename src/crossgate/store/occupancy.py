"""One control plane for one SQLite directory: it would not hear of what another one stores there."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

from crossgate.service.errors import StoreUnavailable
from crossgate.store.location import PostgresqlUrl, SqliteDirectory, StoreLocation
from crossgate.store.sqlite import make_file

LOCK_NAME: Final = "control-plane.lock"


@contextmanager
def occupied(location: StoreLocation) -> Iterator[None]:
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
