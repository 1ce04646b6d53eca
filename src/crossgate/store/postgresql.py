"""PostgreSQL as the store wants it: psycopg, and no wait without an end."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL

CHANNEL: Final = "crossgate"
"""NOTIFY's channel; the payload is the number of a revision."""

_CONNECTION: Final[dict[str, str | int]] = {
    "application_name": "crossgate",
    "connect_timeout": 5,
    # A server that vanished without a word is noticed within some ten seconds.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_SESSION: Final = (
    # A writer waits that long for another; a control plane that freezes inside a transaction loses it.
    " -c lock_timeout=10s -c statement_timeout=30s -c idle_in_transaction_session_timeout=30s -c timezone=UTC"
)


def _connection_arguments(url: URL) -> dict[str, str | int]:
    """What connections are made with beside what the URL says."""
    given = url.query.get("options", "")
    options = given if isinstance(given, str) else " ".join(given)
    settled = {name: value for name, value in _CONNECTION.items() if name not in url.query}
    return {**settled, "options": f"{options}{_SESSION}".strip()}


def postgresql_engine(url: URL) -> Engine:
    """An engine for the database at the URL."""
    return create_engine(
        url.difference_update_query(["options"]),
        connect_args=_connection_arguments(url),
        pool_size=5,
        max_overflow=5,
        pool_timeout=10,
        # A connection may have died unseen while it lay in the pool.
        pool_pre_ping=True,
    )
