"""The APIs that a token is limited to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; earlier tokens have no limit."""
    op.add_column("tokens", sa.Column("apis", sa.Text))
