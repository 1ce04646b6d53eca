"""Migrates the tables of a database to the schema of this version."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Engine, func, inspect, select, text

from crossgate.service.errors import StoreUnavailable
from crossgate.store.db_errors import translated_errors
from crossgate.store.sqlite import WRITING

CURRENT: Final = "0005"
"""The newest migration. Declared here, so that a start with nothing to migrate does not load Alembic."""

_LOCK: Final = 0x63677465
"""The PostgreSQL advisory lock that serialises migrations of several control planes."""


def migrate(engine: Engine, to: str = CURRENT) -> None:
    """Migrate to ``to`` in one transaction: either everything is migrated, or nothing has changed.

    Raises:
        StoreUnavailable: the database cannot be reached, or a newer version has migrated it.

    """
    with translated_errors():
        with engine.connect() as connection:
            if _version(connection) == to:
                return
        with engine.execution_options(**{WRITING: True}).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            _upgrade(connection, to)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _upgrade(connection: Connection, to: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "crossgate.store:migrations")
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = _version(connection)
    if found is not None and found not in known:
        raise StoreUnavailable(
            f"the schema was migrated by a newer Crossgate (migration {found})",
            "Run that version, or restore a backup from before the upgrade; see docs/reference/store.md",
        )
    command.upgrade(config, to)
