"""Counts of decisions, groups of refusals, allowed origins, and the keys for hashes of clients' addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables."""
    _create_counters()
    _create_refusals()
    op.create_table(
        "client_keys",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "telemetry_batches",
        sa.Column("control_plane", sa.Text, primary_key=True),
        sa.Column("batch", sa.Text, nullable=False),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("hour", sa.Integer, nullable=False),
    )


def _create_counters() -> None:
    op.create_table(
        "decision_series",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("api", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("flow", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("observed", sa.Boolean, nullable=False),
    )
    op.create_table(
        "counted_processes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("control_plane", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("incarnation", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("counted", sa.Integer, nullable=False),
    )
    op.create_index("counted_processes_by_node", "counted_processes", ["node", "incarnation"])
    op.create_index("counted_processes_by_control_plane", "counted_processes", ["control_plane"])
    # Narrow rows, many of them: without a rowid, SQLite keeps them in their primary key.
    op.create_table(
        "counter_parts",
        sa.Column(
            "process",
            sa.Integer,
            sa.ForeignKey("counted_processes.id"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("series", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "decision_hours",
        sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("series", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _create_refusals() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "refusal_groups",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("api", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("observed", sa.Boolean, nullable=False),
        sa.Column("preflight", sa.Boolean, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("sampled", sa.BigInteger, nullable=False),
        sa.Column("requests", sa.Double, nullable=False),
        sa.Column("variance", sa.Double, nullable=False),
        sa.Column("first_seen", time, nullable=False),
        sa.Column("last_seen", time, nullable=False),
        sa.Column("clients", sa.BigInteger, nullable=False),
        sa.Column("seen_in", sa.Text, nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("registers", sa.LargeBinary, nullable=False),
        sa.Column("disposition", sa.Text),
        sa.Column("disposed_at", time),
        sa.Column("disposed_by", sa.Text),
        sa.Column("disposed_revision", sa.Integer),
        sa.Column("dismissal_reason", sa.Text),
        sa.Column("note", sa.Text),
    )
    op.create_index("refusal_groups_by_api", "refusal_groups", ["api"])
    op.create_table(
        "refusal_hours",
        sa.Column("group_id", sa.Text, sa.ForeignKey("refusal_groups.id"), primary_key=True),
        sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("requests", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "other_refusals",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("api", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, primary_key=True),
        sa.Column("observed", sa.Boolean, primary_key=True),
        sa.Column("sampled", sa.BigInteger, nullable=False),
        sa.Column("requests", sa.Double, nullable=False),
        sa.Column("variance", sa.Double, nullable=False),
        sa.Column("last_seen", time, nullable=False),
    )
    op.create_table(
        "allowed_origins",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("api", sa.Text, nullable=False),
        sa.Column("preflight", sa.Boolean, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("requests", sa.Double, nullable=False),
        sa.Column("last_seen", time, nullable=False),
    )
    op.create_index("allowed_origins_by_api", "allowed_origins", ["api"])
