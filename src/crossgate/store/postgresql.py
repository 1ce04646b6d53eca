"""The PostgreSQL engine: psycopg, with a timeout for every wait."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import ConnStatus
from psycopg.rows import TupleRow
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL

_CONNECTION: Final[dict[str, str | int]] = {
    "application_name": "crossgate",
    # A server with LC_ALL=C makes databases in SQL_ASCII, whose strings would arrive as bytes.
    "client_encoding": "utf8",
    "connect_timeout": 5,
    # A server that vanished silently is noticed after about ten seconds.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_SESSION: Final = (
    # lock_timeout limits the wait of a writer for another one, and idle_in_transaction_session_timeout ends
    # the transaction of a frozen control plane.
    " -c lock_timeout=10s -c statement_timeout=30s -c idle_in_transaction_session_timeout=30s -c timezone=UTC"
)
PING_SECONDS: Final = 5.0
"""Timeout for what costs the server nothing: a ping, LISTEN."""
_STATEMENT_SECONDS: Final = 35.0
"""Timeout for a statement: longer than the server's own, so that it expires only if the server is silent."""
_T = TypeVar("_T")


class TimedConnection(psycopg.Connection[TupleRow]):
    """A connection that waits at most ``answer_timeout`` seconds for an answer.

    TCP timeouts detect a server that is gone, but neither a frozen server nor a dead one behind a proxy.
    """

    answer_timeout = PING_SECONDS

    def wait(self, gen: PQGen[_T], interval: float = 0.1, timeout: float | None = None) -> _T:
        """As psycopg's, but never without a timeout."""
        try:
            return super().wait(gen, interval, self.answer_timeout if timeout is None else timeout)
        except psycopg.OperationalError as error:
            # No error from the server, and the connection stands: the timeout expired.
            silent = error.sqlstate is None and self.pgconn.status == ConnStatus.OK
            if timeout is not None or not silent:
                raise
            # A late answer would be taken for the answer to the next statement.
            self.pgconn.finish()
            raise psycopg.OperationalError("the server does not answer") from error


def _connection_arguments(url: URL) -> dict[str, str | int]:
    """The defaults for connections; parameters of the URL win."""
    given = url.query.get("options", "")
    options = given if isinstance(given, str) else " ".join(given)
    defaults = {name: value for name, value in _CONNECTION.items() if name not in url.query}
    return {**defaults, "options": f"{options}{_SESSION}".strip()}


def postgresql_engine(url: URL) -> Engine:
    """A new engine for the database at ``url``."""
    engine = create_engine(
        url.difference_update_query(["options"]),
        connect_args=_connection_arguments(url),
        pool_size=5,
        max_overflow=5,
        pool_timeout=10,
        # A pooled connection may have died unnoticed.
        pool_pre_ping=True,
    )
    event.listen(engine, "do_connect", _connect)
    # The pool pings before checkout, with the shorter timeout.
    event.listen(engine, "checkout", lambda connection, *_: _set_timeout(connection, _STATEMENT_SECONDS))
    event.listen(engine, "checkin", lambda connection, _: _set_timeout(connection, PING_SECONDS))
    return engine


def _connect(_dialect: object, _record: object, given: list[Any], named: dict[str, Any]) -> TimedConnection:
    return TimedConnection.connect(*given, **named)


def _set_timeout(connection: TimedConnection | None, seconds: float) -> None:
    if connection is not None:  # None: it broke, and the pool discards it
        connection.answer_timeout = seconds
