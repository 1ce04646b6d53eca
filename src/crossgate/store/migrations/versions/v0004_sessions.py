"""Sessions of the console, and the links that open one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "sessions",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("apis", sa.Text),
        sa.Column("token_created", time),
        sa.Column("created", time, nullable=False),
        sa.Column("expires", time, nullable=False),
        sa.Column("last_used", time, nullable=False),
        sa.Column("user_agent", sa.Text, nullable=False),
    )
    op.create_table(
        "sign_in_links",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("token_created", time),
        sa.Column("expires", time, nullable=False),
    )
