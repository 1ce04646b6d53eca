"""Follows a file: says when it may have changed, soon after a save, and certainly within a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from watchfiles import awatch

_SETTLE_MS: Final = 20
"""A save is often several writes: so long it has to be quiet before the file is read."""
_LOOK_MS: Final = 1000
"""Where the system reports nothing (network file systems), the file is looked at so often."""
_TICK_NS: Final = 10_000_000
"""No kernel's clock for files is coarser: two writes within it may leave the same time."""

Signature = tuple[int, int, int] | None


def signature(file: Path) -> Signature:
    """What differs after a save: identity, size and time of the file; None if it can't be seen."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


async def changes(file: Path, seen: Signature, stop: asyncio.Event) -> AsyncIterator[None]:
    """Yields whenever ``file`` differs from what it was; first compared with ``seen``. Ends with ``stop``.

    The folder is watched, not the file: editors put a new file in place of the old one.
    """
    if signature(file) != seen:
        seen = signature(file)
        yield
    missed = False
    async for _ in awatch(
        file.parent,
        recursive=False,
        step=_SETTLE_MS // 2,
        debounce=_SETTLE_MS * 10,
        rust_timeout=_LOOK_MS,
        yield_on_timeout=True,
        stop_event=stop,
    ):
        now = signature(file)
        # Gone may be about to come back: some editors remove the file before they write it.
        back_soon, missed = now is None and not missed, now is None
        if now != seen and not back_soon and not _may_change_unseen(now):
            seen = now
            yield


def _may_change_unseen(now: Signature) -> bool:
    """Whether another write could still leave this same signature; it will be followed by another look."""
    return now is not None and 0 <= time.time_ns() - now[2] < _TICK_NS
