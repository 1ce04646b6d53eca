"""Writes lines from a thread of its own: a caller waits neither for a slow reader nor for a full disk."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

MOST_QUEUED: Final = 4 * 1024 * 1024
"""Bytes. What does not fit is dropped and counted."""
_AT_ONCE: Final = 64 * 1024
_RETRY_SECONDS: Final = 1.0
_CLOSE_SECONDS: Final = 2.0


class LogPipe:
    """A bounded queue of lines, and the thread that writes them to a descriptor. Thread-safe.

    While the descriptor fails, as with a full disk or a pipe without a reader, lines wait, and writing is
    retried. ``dropped_line`` returns the line that tells how many lines were dropped.
    """

    def __init__(
        self, descriptor: int, dropped_line: Callable[[int], str], most_queued: int = MOST_QUEUED
    ) -> None:
        self._descriptor = descriptor
        self._dropped_line = dropped_line
        self._most = most_queued
        # Reentrant: garbage collection may log while a line is added.
        self._changed = threading.Condition(threading.RLock())
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._closing = False
        self._untold = 0
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="crossgate-log", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Queue a line, or drop it if the queue is full; never waits."""
        with self._changed:
            if self._untold and self._size <= self._most // 2:
                self._tell_dropped()
            encoded = _encode(line)
            # Until half of the queue is written, so that the count stands between what it separates.
            if self._untold or self._size + len(encoded) > self._most:
                self.dropped += 1
                self._untold += 1
            else:
                self._append(encoded)

    def dropped_lines(self) -> int:
        """How many lines were dropped so far."""
        return self.dropped

    def close(self) -> None:
        """Write what is queued, and end; gives up after 2 s."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(_CLOSE_SECONDS)

    def _append(self, encoded: bytes) -> None:
        self._lines.append(encoded)
        self._size += len(encoded)
        self._changed.notify()

    def _tell_dropped(self) -> None:
        count, self._untold = self._untold, 0
        self._append(_encode(self._dropped_line(count)))

    def _run(self) -> None:
        while batch := self._next_batch():
            while batch:
                written = self._write(batch)
                with self._changed:
                    self._size -= written
                    if not written and self._changed.wait_for(lambda: self._closing, _RETRY_SECONDS):
                        return
                batch = batch[written:]

    def _next_batch(self) -> bytes:
        with self._changed:
            if not self._lines and self._untold:
                self._tell_dropped()
            self._changed.wait_for(lambda: self._lines or self._closing)
            batch = bytearray()
            while self._lines and len(batch) < _AT_ONCE:
                batch += self._lines.popleft()
            return bytes(batch)

    def _write(self, batch: bytes) -> int:
        """How many bytes were written; 0 if none could be."""
        try:
            try:
                return os.write(self._descriptor, batch)
            except BlockingIOError:
                # Another program in the same terminal may have made it non-blocking.
                writable = select.poll()
                writable.register(self._descriptor, select.POLLOUT)
                writable.poll(_RETRY_SECONDS * 1000)
                return os.write(self._descriptor, batch)
        except OSError:
            return 0


def _encode(line: str) -> bytes:
    return line.encode("utf-8", "backslashreplace") + b"\n"
