"""The location of a store: a directory for SQLite, or the URL of a PostgreSQL database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from crossgate.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class SqliteDirectory:
    """A directory that contains the SQLite database, and nothing else."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class PostgresqlUrl:
    """A PostgreSQL database; as a string, without the password."""

    url: URL

    def __str__(self) -> str:
        return self.url.set(drivername="postgresql").render_as_string(hide_password=True)


StoreLocation = SqliteDirectory | PostgresqlUrl


def parse_location(raw: str) -> StoreLocation | Diagnostic:
    """The location from a path or ``postgresql://user:password@host:port/database``."""
    scheme, separator, _ = raw.partition("://")
    if not separator:
        return SqliteDirectory(Path(raw).absolute())
    if scheme not in ("postgresql", "postgres"):
        return _invalid(scheme + separator + "…", "names an unsupported database")
    try:
        url = make_url(raw)
    except (ArgumentError, ValueError):
        return _invalid(scheme + separator + "…", "is not a valid database URL")
    return PostgresqlUrl(url.set(drivername="postgresql+psycopg"))


def _invalid(found: str, reason: str) -> Diagnostic:
    # Without the rest of the URL, which may contain a password.
    return Diagnostic(
        code="store-location",
        message=f"the store's location {reason}",
        found=found,
        remedy="Write the path of a directory, or postgresql://user:password@host:5432/database",
    )
