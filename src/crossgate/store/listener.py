"""Listens for revisions of other control planes, and reconnects after a lost connection."""

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
from crossgate.store.postgresql import PING_SECONDS, TimedConnection
from crossgate.store.writes import CHANNEL

_POLL_SECONDS: Final = 5.0
"""The head is polled at this interval too: a connection that died silently is noticed by then."""
_RETRY_AFTER: Final = (0.0, 0.1, 0.5, 1.0, 2.0)
"""Seconds before each attempt to connect; the last value repeats."""


class Listener:
    """A thread with its own connection; it calls ``refresh`` whenever there may be a new revision.

    A notification only triggers a read: revisions are read by number. So a notification lost while there was
    no connection loses no revision.
    """

    def __init__(self, engine: Engine, reachable: threading.Event, refresh: Callable[[], object]) -> None:
        """``reachable`` is set while the database answers, as far as the listener knows."""
        self._engine = engine
        self._reachable = reachable
        self._refresh = refresh
        self._log = Log("store")
        # A byte sent into one end wakes every wait on the other.
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
                    for _ in self._refresh_until_lost(connection):
                        failures = 0
            except (psycopg.Error, ServiceError) as lost:
                if failures == 0:
                    self._log.warning("The store's database does not answer, retrying", reason=str(lost))
                failures += 1

    def _refresh_until_lost(self, connection: psycopg.Connection) -> Iterator[None]:
        """Refresh, and yield, after each notification until the connection breaks or the listener stops."""
        listen = f"LISTEN {CHANNEL}"
        connection.execute(listen)
        # The first refresh comes after LISTEN, so that no revision falls between the two.
        self._refresh()
        yield
        while not self._stops_within(_POLL_SECONDS, connection.fileno()):
            # LISTEN again changes nothing. It detects a frozen server here, where no request waits for it.
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
            raise TypeError(f"not a TimedConnection: {connection!r}")
        connection.answer_timeout = PING_SECONDS
        connection.autocommit = True
        return connection

    def _stops_within(self, seconds: float, *others: int) -> bool:
        """Wait for a stop, for input on one of ``others``, or for ``seconds``; True if the listener stops."""
        stopped = self._stopped.fileno()
        ready, _, _ = select.select([stopped, *others], [], [], seconds)
        return stopped in ready
