"""Hears of revisions that other control planes stored, and finds its way back after a lost connection."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from types import TracebackType
from typing import Final, Self

import psycopg
from sqlalchemy import Engine

from crossgate.service.errors import ServiceError
from crossgate.service.log import Log
from crossgate.store.db_errors import translated_errors
from crossgate.store.postgresql import SIGN_OF_LIFE_SECONDS, TimedConnection
from crossgate.store.writes import CHANNEL

_LOOK_EVERY: Final = 5.0
"""Seconds after which the head is looked at unasked: a connection that died in silence shows by then."""
_RETRY_AFTER: Final = (0.0, 0.1, 0.5, 1.0, 2.0)
"""Seconds before each attempt to connect; the last one again and again."""


class Listener:
    """A thread with a connection of its own; it calls ``refresh`` when there may be news.

    Notifications only say "look": what is new is read by revision number. So nothing is missed whose
    notification got lost while there was no connection.
    """

    def __init__(self, engine: Engine, reachable: threading.Event, refresh: Callable[[], object]) -> None:
        """``reachable`` is kept set while the database answers."""
        self._engine = engine
        self._reachable = reachable
        self._refresh = refresh
        self._log = Log("store")
        # What is sent into one end ends every wait at the other.
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="crossgate-listener", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.send(b"!")
        self._thread.join()
        self._stop.close()
        self._stopped.close()

    def _run(self) -> None:
        failures = 0
        while not self._stops_within(_RETRY_AFTER[min(failures, len(_RETRY_AFTER) - 1)]):
            try:
                with closing(self._connect()) as connection:
                    for _ in self._looks(connection):
                        failures = 0
            except (psycopg.Error, ServiceError) as lost:
                if failures == 0:
                    self._log.warning("The store's database does not answer, trying again", reason=str(lost))
                failures += 1

    def _looks(self, connection: psycopg.Connection) -> Iterator[None]:
        """Refresh whenever there may be news, until the connection breaks or the listener is to stop."""
        listen = f"LISTEN {CHANNEL}"
        connection.execute(listen)
        # The first look comes after that: what is stored from now on is heard of.
        self._refresh()
        yield
        while not self._stops_within(_LOOK_EVERY, connection.fileno()):
            # It listens already; but a server that froze shows here, where nobody waits for it.
            connection.execute(listen)
            for _ in connection.notifies(timeout=0):
                pass
            self._refresh()
            yield

    def _connect(self) -> psycopg.Connection:
        try:
            with translated_errors():
                pooled = self._engine.raw_connection()
        except ServiceError:
            self._reachable.clear()
            raise
        self._reachable.set()
        connection = pooled.driver_connection
        pooled.detach()
        if not isinstance(connection, TimedConnection):
            raise TypeError(f"no connection of the store's: {connection!r}")
        connection.patience = SIGN_OF_LIFE_SECONDS
        connection.autocommit = True
        return connection

    def _stops_within(self, seconds: float, *others: int) -> bool:
        """Wait so long at most, or until one of the others can be read; whether the listener is to stop."""
        stopped = self._stopped.fileno()
        ready, _, _ = select.select([stopped, *others], [], [], seconds)
        return stopped in ready
