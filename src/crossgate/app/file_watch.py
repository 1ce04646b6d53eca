"""Watches files, and reports within a second that one may have changed, however it is replaced.

The folders of the files are watched, not the files: editors put a new file in place of the old one.
So are the folders of the symbolic links on the way to a file: Kubernetes and certbot replace those.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchfiles import awatch

from crossgate.catalogue.yaml.files import FileStamp

_QUIET_MS: Final = 20
"""A save is often several writes: the file is read after this time without a further one."""
_POLL_MS: Final = 1000
"""How often the files are examined where the system reports no changes, as on network file systems."""
_MOST_STEPS: Final = 500
"""Names on the way to a file, those of links included: links can form a circle."""


async def examinations(paths: Callable[[], Iterable[Path]], stop: asyncio.Event) -> AsyncIterator[None]:
    """Yield when something changed in a folder on the way to one of the files, and once a second at least.

    ``paths`` returns the files that count now. Ends when ``stop`` is set.
    """
    while not stop.is_set():
        folders = _identified(paths())
        if not folders:
            yield
            await _wait(stop)
            continue
        changes = awatch(
            *folders,
            watch_filter=None,
            recursive=False,
            step=_QUIET_MS // 2,
            debounce=_QUIET_MS * 10,
            rust_timeout=_POLL_MS,
            yield_on_timeout=True,
            stop_event=stop,
        )
        try:
            async with aclosing(changes):
                async for _ in changes:
                    yield
                    if _identified(paths()) != folders:
                        # A link has another target, a folder was replaced, or another file counts.
                        break
        except OSError:
            # A folder vanished, or the system watches no more of them: then the files are polled.
            yield
            await _wait(stop)


async def _wait(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_POLL_MS / 1000):
            await stop.wait()
    except TimeoutError:
        pass


def _identified(paths: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """The folders on the way to the files, each with what distinguishes it from another of the same name."""
    found = {}
    for folder in {folder for path in paths for folder in folders_on_the_way(path)}:
        try:
            status = folder.stat()
        except (OSError, ValueError):
            continue
        found[folder] = (status.st_dev, status.st_ino)
    return found


def folders_on_the_way(path: Path) -> set[Path]:
    """The folder of the file, and those of symbolic links that lead to it; of a missing file, the nearest."""
    found: set[Path] = set()
    here, names = Path("/"), list(path.absolute().parts[1:])
    for _ in range(_MOST_STEPS):
        if not names:
            break
        name = names.pop(0)
        if name == "..":
            here = here.parent
            continue
        entry = here / name
        try:
            target = Path(os.readlink(entry))  # noqa: PTH115 - a Path would raise for other reasons too
        except (OSError, ValueError):
            if not names or not entry.is_dir():
                return found | {here}
            here = entry
            continue
        found.add(here)
        if target.is_absolute():
            here = Path("/")
        names = [one for one in target.parts if one != "/"] + names
    return found


@dataclass(slots=True)
class WatchedFiles:
    """The files that are watched, as they were when they were last read."""

    files: tuple[FileStamp, ...]
    """The document first, then the files that it names. Set it again whenever the document is read again."""

    async def changes(self, stop: asyncio.Event) -> AsyncIterator[None]:
        """Yield whenever a file differs from what it was when it was read, until ``stop`` is set."""
        now = self._examine()
        if now != self.files:
            self.files = now
            yield
        was_missing = False
        async for _ in examinations(lambda: [seen.path for seen in self.files], stop):
            now = self._examine()
            # It may come back at once: some editors remove a file before they write it, and cp empties it.
            missing = any(_has_vanished(*pair) for pair in zip(self.files, now, strict=True))
            may_come_back, was_missing = missing and not was_missing, missing
            if now != self.files and not may_come_back and not any(one.may_hide_a_write() for one in now):
                self.files = now
                yield

    def _examine(self) -> tuple[FileStamp, ...]:
        return tuple(FileStamp.now(seen.path) for seen in self.files)


def _has_vanished(before: FileStamp, now: FileStamp) -> bool:
    """Whether the file, or all its content, has been removed."""
    if now.changed_ns is None:
        return before.changed_ns is not None
    return now.size == 0 < before.size
