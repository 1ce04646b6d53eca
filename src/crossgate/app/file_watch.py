"""Watches a document and the files that it names, and reports within a second that one may have changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from watchfiles import awatch

from crossgate.catalogue.yaml.files import FileStamp

_QUIET_MS: Final = 20
"""A save is often several writes: the file is read after this time without a further one."""
_POLL_MS: Final = 1000
"""How often the files are examined where the system reports no changes, as on network file systems."""
_CLOCK_TICK_NS: Final = 10_000_000
"""The coarsest clock of a Linux kernel: two writes within one tick may leave the same modification time."""


@dataclass(slots=True)
class WatchedFiles:
    """The files that are watched, as they were when they were last read."""

    files: tuple[FileStamp, ...]
    """The document first, then the files that it names. Set it again whenever the document is read again."""

    async def changes(self, stop: asyncio.Event) -> AsyncIterator[None]:
        """Yield whenever a file differs from what it was when it was read, until ``stop`` is set.

        The document's folder is watched, not the document: editors put a new file in place of the old one.
        Files in other folders are polled every second.
        """
        now = self._examine()
        if now != self.files:
            self.files = now
            yield
        was_missing = False
        async for _ in awatch(
            self.files[0].path.parent,
            recursive=False,
            step=_QUIET_MS // 2,
            debounce=_QUIET_MS * 10,
            rust_timeout=_POLL_MS,
            yield_on_timeout=True,
            stop_event=stop,
        ):
            now = self._examine()
            # A missing file may come back at once: some editors remove a file before they write it.
            missing = any(_has_vanished(*pair) for pair in zip(self.files, now, strict=True))
            may_come_back, was_missing = missing and not was_missing, missing
            if now != self.files and not may_come_back and not any(map(_may_hide_a_write, now)):
                self.files = now
                yield

    def _examine(self) -> tuple[FileStamp, ...]:
        return tuple(FileStamp.now(seen.path) for seen in self.files)


def _has_vanished(before: FileStamp, now: FileStamp) -> bool:
    return now.changed_ns is None and before.changed_ns is not None


def _may_hide_a_write(now: FileStamp) -> bool:
    """Whether another write could leave the same modification time; the next examination decides."""
    return now.changed_ns is not None and 0 <= time.time_ns() - now.changed_ns < _CLOCK_TICK_NS
