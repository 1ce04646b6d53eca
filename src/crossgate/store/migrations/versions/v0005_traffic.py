"""All decisions by minute and kind, so that a chart of traffic reads few rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_FILL = """
    INSERT INTO decision_minutes (minute, kind, requests)
    SELECT hour * 60, kind, CAST(SUM(requests) AS BIGINT) FROM (
        SELECT hours.hour, hours.requests, CASE
            WHEN series.reason NOT IN (
                'origin-refused', 'method-refused', 'method-missing', 'origin-missing', 'header-refused',
                'host-refused', 'path-malformed', 'host-malformed', 'method-forbidden', 'unmatched'
            ) THEN 'allowed'
            WHEN series.reason IN (
                'host-refused', 'path-malformed', 'host-malformed', 'method-forbidden', 'unmatched'
            ) THEN 'other'
            WHEN series.observed THEN 'observed'
            WHEN series.reason = 'origin-refused' THEN 'origin'
            WHEN series.reason = 'header-refused' THEN 'header'
            ELSE 'method'
        END AS kind
        FROM decision_hours AS hours JOIN decision_series AS series ON series.id = hours.series
        WHERE hours.hour > (SELECT MAX(hour) FROM decision_hours) - 192
    ) AS counted
    GROUP BY hour, kind
"""


def upgrade() -> None:
    """Create the table, and fill it with the hours of the last 8 days."""
    op.create_table(
        "decision_minutes",
        sa.Column("minute", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(_FILL)
