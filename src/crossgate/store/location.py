"""Where the store is: a directory, or the URL of a PostgreSQL database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from crossgate.diagnostics import Diagnostic
from crossgate.store.sqlite import sqlite_engine


@dataclass(frozen=True, slots=True)
class SqliteDirectory:
    """SQLite, in a directory that is the store's own."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class PostgresqlUrl:
    """A PostgreSQL database, and how to get there."""

    url: URL

    def __str__(self) -> str:
        return self.url.set(drivername="postgresql").render_as_string(hide_password=True)


StoreLocation = SqliteDirectory | PostgresqlUrl


def parse_location(loose: str) -> StoreLocation | Diagnostic:
    """A path, or ``postgresql://user:password@host:port/database``."""
    scheme, separator, _ = loose.partition("://")
    if not separator:
        return SqliteDirectory(Path(loose).absolute())
    if scheme not in ("postgresql", "postgres"):
        return _refuse(scheme + separator + "…", "names a database that the store does not know")
    try:
        url = make_url(loose)
    except (ArgumentError, ValueError):
        return _refuse(scheme + separator + "…", "is no URL of a database")
    return PostgresqlUrl(url.set(drivername="postgresql+psycopg"))


def _refuse(found: str, reason: str) -> Diagnostic:
    # The URL itself is not repeated: it may hold a password.
    return Diagnostic(
        code="store-location",
        message=f"the store's location {reason}",
        found=found,
        remedy="Write the path of a directory, or postgresql://user:password@host:5432/database",
    )


def engine_for(location: StoreLocation) -> Engine:
    """An engine for the database there."""
    match location:
        case SqliteDirectory(path):
            return sqlite_engine(path)
        case PostgresqlUrl(url):
            # Loads psycopg, which SQLite has no use for.
            from crossgate.store.postgresql import postgresql_engine

            return postgresql_engine(url)
