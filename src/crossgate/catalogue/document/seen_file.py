"""A file as it was when it was looked at, so that a change of it can be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SeenFile:
    """Two of one path differ if the file was saved between them: written in place, or replaced by another."""

    path: Path
    identity: int = 0
    size: int = 0
    changed_ns: int | None = None
    """When it was written, in nanoseconds of the kernel's clock for files; None if it can't be seen."""

    @classmethod
    def now(cls, path: Path) -> SeenFile:
        """To be taken before the file is read: what is saved meanwhile is a change, then."""
        try:
            found = path.stat()
        except (OSError, ValueError):
            return cls(path)
        return cls(path, found.st_ino, found.st_size, found.st_mtime_ns)
