"""Turns of the writers of one process, for a database that takes one writer at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from crossgate.service.errors import StoreUnavailable
from crossgate.store.sqlite import BUSY_SECONDS


class WriteTurns:
    """Lets one writer in after another; those in a hurry go before all others.

    SQLite has no queue: a writer that finds the lock taken sleeps and tries again, for up to 0.1 s. A writer
    of many short transactions would take the lock again each time before it wakes.
    """

    def __init__(self, seconds: float = BUSY_SECONDS) -> None:
        """A writer waits at most ``seconds``: the one before it may wait so long for another process."""
        self._seconds = seconds
        self._changed = Condition()
        self._taken = False
        self._in_a_hurry = 0

    @contextmanager
    def take(self, *, hurry: bool) -> Iterator[None]:
        """Wait for a turn, which lasts until the context ends.

        Raises:
            StoreUnavailable: other writers took too long.

        """
        with self._changed:
            self._in_a_hurry += hurry
            try:
                if not self._changed.wait_for(
                    lambda: not self._taken and (hurry or not self._in_a_hurry), self._seconds
                ):
                    raise StoreUnavailable(
                        "other writes have not finished yet",
                        "Retry; if it lasts, end the process that keeps a transaction open on the database",
                    )
                self._taken = True
            finally:
                self._in_a_hurry -= hurry
        try:
            yield
        finally:
            with self._changed:
                self._taken = False
                self._changed.notify_all()


class NoTurns(WriteTurns):
    """Lets all writers in at once."""

    @contextmanager
    def take(self, *, hurry: bool) -> Iterator[None]:
        """Do not wait."""
        del hurry
        yield
