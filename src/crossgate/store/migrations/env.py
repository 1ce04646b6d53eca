"""Runs the migrations on the connection of ``migrate``, inside its transaction."""

from __future__ import annotations

from alembic import context

from crossgate.store.tables import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema(),
    # False by default for SQLite, whose driver commits before DDL; not so with the settings of sqlite.py.
    transactional_ddl=True,
)
context.run_migrations()
