"""Follows a document and the files that it names: says when one may have changed, within a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from watchfiles import awatch

from crossgate.catalogue.document import FileStamp

_SETTLE_MS: Final = 20
"""A save is often several writes: so long it has to be quiet before the file is read."""
_LOOK_MS: Final = 1000
"""Where the system reports nothing (network file systems), the file is looked at so often."""
_TICK_NS: Final = 10_000_000
"""No kernel's clock for files is coarser: two writes within it may leave the same time."""


@dataclass(slots=True)
class Followed:
    """The files that are followed, as they were last seen: the document first, then those that it names."""

    files: tuple[FileStamp, ...]
    """To be set to what was read whenever the document is read again."""


async def changes(followed: Followed, stop: asyncio.Event) -> AsyncIterator[None]:
    """Yields whenever one of the files differs from what it was when it was seen. Ends with ``stop``.

    The document's folder is watched, not the document: editors put a new file in place of the old one. What
    it names elsewhere is looked at every second.
    """
    now = _look(followed)
    if now != followed.files:
        followed.files = now
        yield
    missed = False
    async for _ in awatch(
        followed.files[0].path.parent,
        recursive=False,
        step=_SETTLE_MS // 2,
        debounce=_SETTLE_MS * 10,
        rust_timeout=_LOOK_MS,
        yield_on_timeout=True,
        stop_event=stop,
    ):
        now = _look(followed)
        # Gone may be about to come back: some editors remove the file before they write it.
        gone = any(_is_gone(*pair) for pair in zip(followed.files, now, strict=True))
        back_soon, missed = gone and not missed, gone
        if now != followed.files and not back_soon and not any(map(_may_change_unseen, now)):
            followed.files = now
            yield


def _look(followed: Followed) -> tuple[FileStamp, ...]:
    return tuple(FileStamp.now(seen.path) for seen in followed.files)


def _is_gone(before: FileStamp, now: FileStamp) -> bool:
    return now.changed_ns is None and before.changed_ns is not None


def _may_change_unseen(now: FileStamp) -> bool:
    """Whether another write could still leave the file looking the same; another look will follow it."""
    return now.changed_ns is not None and 0 <= time.time_ns() - now.changed_ns < _TICK_NS
