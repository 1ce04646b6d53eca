"""Translates database errors into :class:`StoreUnavailable`, with a remedy for each known cause."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from crossgate.service.errors import RESTORE, StoreUnavailable

RETRY: Final = "Retry when the database is back; the gateway keeps serving its current configuration"
_SQLITE: Final = {
    "disk is full": (
        "the disk is full",
        "Free some space; the gateway keeps serving, and no stored data is lost",
    ),
    "database is locked": (
        "another process holds a lock on the database",
        "End the process that keeps a transaction open on it, then retry",
    ),
    "readonly database": (
        "the database file is read-only",
        "Give this user write access to the file and its directory",
    ),
    "unable to open": (
        "the database file cannot be opened",
        "Check that the directory exists and that this user may write to it",
    ),
    "disk I/O error": (
        "disk I/O error, perhaps because the disk is full",
        "Check the disk and the system log; the gateway keeps serving its current configuration",
    ),
    "malformed": ("the database file is corrupt", RESTORE),
    "not a database": ("the file is not a database", RESTORE),
}


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise :class:`StoreUnavailable` for failures of the database; constraint violations pass unchanged."""
    try:
        yield
    except IntegrityError:
        raise
    except ProgrammingError as error:
        raise StoreUnavailable(f"unexpected database schema: {_first_line(error)}", RESTORE) from error
    except PoolTimeout as error:
        raise StoreUnavailable("too many requests are waiting for a connection", RETRY) from error
    except DBAPIError as error:
        raise StoreUnavailable(*_explain(error)) from error


def _explain(error: DBAPIError) -> tuple[str, str]:
    message = _first_line(error)
    for sign, explained in _SQLITE.items():
        if sign in message:
            return explained
    return message or "the connection was lost", RETRY


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]
