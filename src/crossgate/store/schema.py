"""The tables with all that migrations make of them: for those who migrate, or compare.

An index's options can be the databases' own. SQLAlchemy loads all of PostgreSQL's dialect to look at them,
which a start on SQLite would wait for: hence not in `tables`.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, MetaData

from crossgate.store.tables import metadata, versions

schema: Final[MetaData] = metadata

Index(
    "object_versions_current",
    versions.c.kind,
    versions.c.key,
    unique=True,
    sqlite_where=versions.c.current,
    postgresql_where=versions.c.current,
)
