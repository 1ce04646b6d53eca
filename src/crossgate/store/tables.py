"""The tables of this version; the steps in ``migrations`` lead to them.

A revision adds one row for each object that it changes, and updates only the ``current`` flag of older rows.
So history costs what was changed, and the state at a revision is the newest version of each object up to it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
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

sessions: Final = Table(
    "sessions",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("id", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("apis", Text),
    # With the name, the caller's token; NULL where the caller is none.
    Column("token_created", UtcTime),
    Column("created", UtcTime, nullable=False),
    Column("expires", UtcTime, nullable=False),
    Column("last_used", UtcTime, nullable=False),
    Column("user_agent", Text, nullable=False),
)

links: Final = Table(
    "sign_in_links",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("token_created", UtcTime),
    Column("expires", UtcTime, nullable=False),
)

# Telemetry. What requests sent is stored as JSON in ASCII: it may hold control characters and surrogates.
# Hours and days are numbers since 1970 (UTC): there are many rows of them.

series: Final = Table(
    "decision_series",
    metadata,
    # A hash of the others, so that all control planes know it without asking.
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("api", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("observed", Boolean, nullable=False),
)

processes: Final = Table(
    # One row for each Envoy process and each control plane that counted it.
    "counted_processes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("control_plane", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("incarnation", Text, nullable=False),
    # running, ended, summed; or sum: the sum of those of the node that are summed.
    Column("state", Text, nullable=False),
    # The hour of the last count.
    Column("counted", Integer, nullable=False),
    Index("counted_processes_by_node", "node", "incarnation"),
    Index("counted_processes_by_control_plane", "control_plane"),
)

parts: Final = Table(
    "counter_parts",
    metadata,
    Column("process", Integer, ForeignKey("counted_processes.id"), primary_key=True, autoincrement=False),
    Column("series", BigInteger, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
)

decisions: Final = Table(
    "decision_hours",
    metadata,
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("series", BigInteger, primary_key=True, autoincrement=False),
    Column("requests", BigInteger, nullable=False),
)

traffic: Final = Table(
    # All decisions by kind. Of hours that are over for long, in the row of their first minute.
    "decision_minutes",
    metadata,
    Column("minute", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("requests", BigInteger, nullable=False),
)

groups: Final = Table(
    "refusal_groups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("api", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("observed", Boolean, nullable=False),
    Column("preflight", Boolean, nullable=False),
    # Origin, method and header names, as JSON.
    Column("request", Text, nullable=False),
    Column("sampled", BigInteger, nullable=False),
    Column("requests", Double, nullable=False),
    Column("variance", Double, nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("clients", BigInteger, nullable=False),
    Column("seen_in", Text, nullable=False),
    # The day of the registers, which are compressed.
    Column("day", Integer, nullable=False),
    Column("registers", LargeBinary, nullable=False),
    Column("disposition", Text),
    Column("disposed_at", UtcTime),
    Column("disposed_by", Text),
    Column("disposed_revision", Integer),
    Column("dismissal_reason", Text),
    Column("note", Text),
    Index("refusal_groups_by_api", "api"),
)

group_hours: Final = Table(
    "refusal_hours",
    metadata,
    Column("group_id", Text, ForeignKey("refusal_groups.id"), primary_key=True),
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("requests", Double, nullable=False),
)

others: Final = Table(
    "other_refusals",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("api", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("observed", Boolean, primary_key=True),
    Column("sampled", BigInteger, nullable=False),
    Column("requests", Double, nullable=False),
    Column("variance", Double, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
)

allowed: Final = Table(
    "allowed_origins",
    metadata,
    Column("id", Text, primary_key=True),
    Column("api", Text, nullable=False),
    Column("preflight", Boolean, nullable=False),
    Column("request", Text, nullable=False),
    Column("requests", Double, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Index("allowed_origins_by_api", "api"),
)

client_keys: Final = Table(
    "client_keys",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("secret", LargeBinary, nullable=False),
)

batches: Final = Table(
    # How far the last batch of each control plane was stored.
    "telemetry_batches",
    metadata,
    Column("control_plane", Text, primary_key=True),
    Column("batch", Text, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("hour", Integer, nullable=False),
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
