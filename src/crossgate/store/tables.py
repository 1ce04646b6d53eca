"""The tables as this version uses them; ``migrations`` makes them what they are here.

A revision adds one row for each object that it changed; nothing is rewritten but the mark on the newest rows.
So history costs what was changed, and a past state is the newest version of each object up to it.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, MetaData, Table, Text

from crossgate.store.times import UtcTime

metadata: Final = MetaData()

head: Final = Table(
    "head",
    metadata,
    # One row: whoever writes locks it, so that there is one writer at a time on PostgreSQL too.
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
    # The written form as JSON; NULL where the revision removed the object.
    Column("body", Text),
    # Whether it is the object's newest version; then, and without a body, there is no such object. There is
    # an index of these, in `schema`.
    Column("current", Boolean, nullable=False),
    Index("object_versions_by_revision", "revision"),
)
outcomes: Final = Table(
    "outcomes",
    metadata,
    Column("revision", Integer, ForeignKey("revisions.number"), primary_key=True),
    Column("node", Text, primary_key=True),
    Column("outcome", Text, nullable=False),
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
)
