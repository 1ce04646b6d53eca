"""Reads a file that a document names: a regular file below the document's folder, and no other.

A document can come from somebody who may not read what this user may, for example with a pull request.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 16 * 1024 * 1024
"""Of one file. 5,000 APIs take 2 MB, 100,000 origins 4 MB."""
_KERNEL_FILES: Final = ("/proc", "/sys")
"""Their files look like regular ones."""


class FileRefused(Exception):  # noqa: N818 - it is an answer, not a failure
    """A file that is not read, whatever it contains. The message begins lower-case."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def read_below(folder: Path, path: Path) -> bytes:
    """The first ``MAX_BYTES + 1`` bytes of the file. Symbolic links that stay below the folder are followed.

    Raises:
        FileRefused: the file is not below the folder, whether it exists or not; or it is not a regular file.
        OSError: it cannot be read.

    """
    try:
        root, resolved = folder.resolve(), path.resolve()
    except (ValueError, RuntimeError) as error:
        # A null character; before Python 3.13, a loop of links.
        raise FileRefused("invalid path", "Check the path") from error
    if not resolved.is_relative_to(root):
        raise FileRefused(
            "the file is not below the document's folder", "Move or copy the file to the document's folder"
        )
    *folders, name = resolved.relative_to(root).parts or (".",)
    # The resolved path has no links. Opened part by part, a link made meanwhile is not followed.
    # Without O_PATH, as on macOS, folders must be readable. The flags stand here because the middleware
    # imports this file on systems that lack some.
    flags = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
    descriptor = os.open(root, flags)
    try:
        for part in folders:
            opened = os.open(part, flags | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = opened
        return _read_regular(name, descriptor)
    finally:
        os.close(descriptor)


def _read_regular(name: str, folder: int) -> bytes:
    # Before it is opened: opening a device can have an effect. And after, when it cannot change any more.
    _require_regular(os.stat(name, dir_fd=folder, follow_symlinks=False))
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as file:
        _require_regular(os.fstat(file.fileno()))
        return file.read(MAX_BYTES + 1)


def _require_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode) or status.st_dev in _kernel_devices():
        raise FileRefused("this is not a regular file", "Name a file with one origin a line")


def _kernel_devices() -> set[int]:
    found = set()
    for path in _KERNEL_FILES:
        with suppress(OSError):
            found.add(os.stat(path).st_dev)  # noqa: PTH116 - with os.fstat() beside it
    return found
