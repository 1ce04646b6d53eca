"""Reads files of a bounded size as UTF-8; every failure is a diagnostic."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crossgate.catalogue.named_file import MAX_BYTES, FileRefused, read_below
from crossgate.diagnostics import Diagnostic, Place
from crossgate.policy.server_cors import ReadLines

_CLOCK_TICK_NS: Final = 10_000_000
"""The coarsest clock of a Linux kernel: two writes within one tick may leave the same modification time."""


@dataclass(frozen=True, slots=True)
class FileStamp:
    """The state of a file. Two stamps of one path differ if the file was written or replaced between them."""

    path: Path
    identity: int = 0
    size: int = 0
    changed_ns: int | None = None
    """Its time of modification in nanoseconds; None if the file cannot be examined."""

    @classmethod
    def now(cls, path: Path) -> FileStamp:
        """The stamp of the file now. Take it before reading, so that a save in between counts as a change."""
        try:
            found = path.stat()
        except (OSError, ValueError):
            return cls(path)
        return cls(path, found.st_ino, found.st_size, found.st_mtime_ns)

    def may_hide_a_write(self) -> bool:
        """Whether another write now could leave the same stamp; true for some milliseconds after a write."""
        return self.changed_ns is not None and 0 <= time.time_ns() - self.changed_ns < _CLOCK_TICK_NS


def read_text(path: Path) -> str | Diagnostic:
    """The file's content, without a byte order mark."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        return unreadable(path, error)
    return too_large(str(path)) if len(data) > MAX_BYTES else decode_text(data, str(path))


def read_lines_of(folder: Path, stamps: list[FileStamp]) -> ReadLines:
    """The reader of the files that a document in ``folder`` names; it adds a stamp of each to ``stamps``.

    Its diagnostics contain nothing of a file.
    """

    def read_lines(name: str) -> list[str] | Diagnostic:
        path = folder / name.strip()
        stamps.append(FileStamp.now(path))
        try:
            data = read_below(folder, path)
        except FileRefused as refused:
            return _refused(path, str(refused), refused.remedy)
        except OSError as error:
            return unreadable(path, error)
        if len(data) > MAX_BYTES:
            return too_large(str(path))
        try:
            return data.decode("utf-8-sig").splitlines()
        except UnicodeDecodeError:
            return _refused(path, "the file is not UTF-8", "Save the file as UTF-8")

    return read_lines


def _refused(path: Path, message: str, remedy: str) -> Diagnostic:
    return Diagnostic("file-refused", message, remedy, Place(file=str(path)), found=str(path))


def too_large(name: str) -> Diagnostic:
    """The refusal of a file above the limit."""
    return Diagnostic(
        code="file-size",
        message=f"the file is larger than {MAX_BYTES // 2**20} MiB",
        remedy="Check the path: 5,000 APIs take some 2 MiB",
        place=Place(file=name),
    )


def unreadable(path: Path, error: Exception, what: str = "file") -> Diagnostic:
    """Why a file or a directory cannot be read."""
    match error:
        case FileNotFoundError():
            message, remedy = f"{what} not found", "Check the path"
        case IsADirectoryError():
            message, remedy = "this is a directory, not a file", f"Name a file in it: {path}/gateway.yaml"
        case PermissionError():
            message, remedy = f"permission to read the {what} denied", "Grant this user read access"
        case OSError(errno=int(number)):
            message, remedy = f"the {what} cannot be read: {os.strerror(number)}", "Check the path"
        case _:
            message, remedy = "invalid path", "Check the path"
    return Diagnostic("file-unreadable", message, remedy, Place(file=str(path)), found=str(path))


def decode_text(data: bytes, name: str) -> str | Diagnostic:
    """The content of the file ``name``, without a byte order mark."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line_start = before.rfind(b"\n") + 1
        return Diagnostic(
            code="file-encoding",
            message="the file is not UTF-8",
            found=f"byte 0x{data[error.start]:02X}",
            remedy="Save the file as UTF-8",
            place=Place(
                file=name,
                line=before.count(b"\n") + 1,
                column=len(before[line_start:].decode("utf-8", "replace")) + 1,
            ),
        )
