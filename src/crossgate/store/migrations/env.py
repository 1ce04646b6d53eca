"""Runs the steps on the connection that ``migrate`` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from crossgate.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite can, too, once the driver leaves transactions alone (see sqlite.py).
    transactional_ddl=True,
)
context.run_migrations()
