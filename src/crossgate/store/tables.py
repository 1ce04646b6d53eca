"""The tables of this version; the steps in ``migrations`` lead to them.

A revision adds one row for each object that it changes, and updates only the ``current`` flag of older rows.
So history costs what was changed, and the state at a revision is the newest version of each object up to it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Boolean, Column, DateTime, Dialect, ForeignKey, Index, Integer, MetaData, Table, Text
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """Aware times in both directions; stored as UTC in SQLite, which has no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The value for the database."""
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The value from the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


metadata: Final = MetaData()

head: Final = Table(
    "head",
    metadata,
    # One row. Every writer locks it, so that PostgreSQL too has one writer at a time.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
)

revisions: Final = Table(
    "revisions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("author", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("message", Text, nullable=False),
    Column("objects", Integer, nullable=False),
    Column("rolls_back_to", Integer),
)

versions: Final = Table(
    "object_versions",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("revision", Integer, ForeignKey("revisions.number"), primary_key=True),
    # The serialised object as JSON; NULL where the revision removed the object.
    Column("body", Text),
    # Whether this is the newest version of the object. `schema` has a partial index of these rows.
    Column("current", Boolean, nullable=False),
    Index("object_versions_by_revision", "revision"),
)

rollouts: Final = Table(
    # In the database, the table and its column keep older names: renaming is not worth a migration.
    "outcomes",
    metadata,
    Column("revision", Integer, ForeignKey("revisions.number"), primary_key=True),
    Column("node", Text, primary_key=True),
    Column("outcome", Text, key="state", nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("detail", Text),
)

tokens: Final = Table(
    "tokens",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("expires", UtcTime),
    Column("last_used", UtcTime),
    Column("revoked", UtcTime),
    # Names of APIs, separated by spaces; NULL for a token without a limit.
    Column("apis", Text),
)


def schema() -> MetaData:
    """A copy of the tables with every index that the migrations make.

    A partial index has options of its own in each database. To check them, SQLAlchemy loads
    PostgreSQL's dialect (0.05 s), which a start on SQLite should not wait for: only migrations and their
    test use this copy.
    """
    complete = MetaData()
    for table in metadata.sorted_tables:
        table.to_metadata(complete)
    current = complete.tables[versions.name].c
    Index(
        "object_versions_current",
        current.kind,
        current.key,
        unique=True,
        sqlite_where=current.current,
        postgresql_where=current.current,
    )
    return complete
