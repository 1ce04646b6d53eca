"""Runs the steps on the connection that ``migrate`` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from crossgate.store.tables import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema(),
    # SQLite can, too, once the driver leaves transactions alone (see sqlite.py).
    transactional_ddl=True,
)
context.run_migrations()
