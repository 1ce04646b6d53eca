"""PostgreSQL as the store wants it: psycopg, and no wait without an end."""

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
SIGN_OF_LIFE_SECONDS: Final = 5.0
"""How long a server may take to answer a question that costs it nothing."""
_STATEMENT_SECONDS: Final = 35.0
"""How long it may take for a statement: what is allowed above has ended by then, or nobody is there."""
_T = TypeVar("_T")


class TimedConnection(psycopg.Connection[TupleRow]):
    """A connection that waits for no answer longer than ``patience``, in seconds.

    The time-outs of TCP see a server that is gone; not one that froze, nor a proxy before one that is gone.
    """

    patience = SIGN_OF_LIFE_SECONDS

    def wait(self, gen: PQGen[_T], interval: float = 0.1, timeout: float | None = None) -> _T:
        """As psycopg does, but not without an end."""
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.OperationalError as error:
            # Neither the server said so, nor is the connection lost: the time is over.
            silent = error.sqlstate is None and self.pgconn.status == ConnStatus.OK
            if timeout is not None or not silent:
                raise
            # What may still come would be taken for the answer to the next question.
            self.pgconn.finish()
            raise psycopg.OperationalError("the server does not answer") from error


def _connection_arguments(url: URL) -> dict[str, str | int]:
    """What connections are made with beside what the URL says."""
    given = url.query.get("options", "")
    options = given if isinstance(given, str) else " ".join(given)
    settled = {name: value for name, value in _CONNECTION.items() if name not in url.query}
    return {**settled, "options": f"{options}{_SESSION}".strip()}


def postgresql_engine(url: URL) -> Engine:
    """An engine for the database at the URL."""
    engine = create_engine(
        url.difference_update_query(["options"]),
        connect_args=_connection_arguments(url),
        pool_size=5,
        max_overflow=5,
        pool_timeout=10,
        # A connection may have died unseen while it lay in the pool.
        pool_pre_ping=True,
    )
    event.listen(engine, "do_connect", _connect)
    # The pool pings before it hands a connection out.
    event.listen(engine, "checkout", lambda connection, *_: _be_patient(connection, _STATEMENT_SECONDS))
    event.listen(engine, "checkin", lambda connection, _: _be_patient(connection, SIGN_OF_LIFE_SECONDS))
    return engine


def _connect(_dialect: object, _record: object, given: list[Any], named: dict[str, Any]) -> TimedConnection:
    return TimedConnection.connect(*given, **named)


def _be_patient(connection: TimedConnection | None, seconds: float) -> None:
    if connection is not None:  # None: it broke, and the pool only drops it
        connection.patience = seconds
