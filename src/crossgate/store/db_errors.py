"""What a database's errors mean to whoever wanted something of the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from crossgate.service.errors import StoreUnavailable

RESTORE: Final = "Restore a backup, see docs/reference/store.md"
_SQLITE: Final = {
    "disk is full": (
        "its disk is full",
        "Free some space; the gateway goes on with what it has, and nothing stored is lost",
    ),
    "database is locked": (
        "another process holds it",
        "End the process that keeps a transaction open on it, then try again",
    ),
    "readonly database": ("its file must not be written", "Allow this user to write it and its directory"),
    "unable to open": (
        "its file cannot be opened",
        "Look whether the directory is there and may be written",
    ),
    "disk I/O error": (
        "its disk fails, or is full",
        "Look at the disk and at the system's log; the gateway goes on with what it has",
    ),
    "malformed": ("its file is damaged", RESTORE),
    "not a database": ("its file is no database", RESTORE),
}
RETRY: Final = "Try again when the database is back; the gateway goes on with what it has"


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the database's failures into :class:`StoreUnavailable`; our own mistakes stay what they are."""
    try:
        yield
    except IntegrityError:
        raise
    except ProgrammingError as error:
        raise StoreUnavailable(
            f"its tables are not what they should be: {_first_line(error)}", RESTORE
        ) from error
    except PoolTimeout as error:
        raise StoreUnavailable("too much is waiting for it", RETRY) from error
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
