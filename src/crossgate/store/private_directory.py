"""The SQLite directory, checked as PostgreSQL checks its data directory: owner, permissions, kinds of files.

Who can write to the directory can put a database with a token of their own in its place.
"""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path
from typing import Final

from crossgate.service.errors import StoreUnavailable

FILE_NAME: Final = "catalogue.sqlite3"
LOCK_FILE: Final = "control-plane.lock"
_FILES: Final = (
    FILE_NAME,
    *(FILE_NAME + side for side in ("-wal", "-shm", "-journal")),
    LOCK_FILE,
)
_GROUP_MAY_READ: Final = 0o027
"""Permissions that must not be set; PostgreSQL accepts 0750, too."""
_OTHERS_MAY_WRITE: Final = 0o022


def open_directory(directory: Path) -> str | None:
    """Create the directory if it is missing, and check it and the files of the store in it.

    Returns a warning if other users may read a directory that a version before has accepted. Permissions of
    files are corrected.

    Raises:
        StoreUnavailable: it cannot be created; or other users own it, a file in it, or may write to it.

    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        warning = _check_directory(directory)
        for name in _FILES:
            _check_file(directory / name)
    except OSError as error:
        raise StoreUnavailable(
            f"cannot open {directory}: {error.strerror}", "Choose a directory that this user may write to"
        ) from error
    return warning


def make_file(file: Path) -> None:
    """Create the file if it is missing, for this user only; raises StoreUnavailable if that fails."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreUnavailable(
            f"cannot create {file}: {error.strerror}", "Choose a directory that this user may write to"
        ) from error


def _check_directory(directory: Path) -> str | None:
    # A symbolic link to the directory is followed, as PostgreSQL does: what counts is the directory itself.
    status = directory.stat()
    _require_owner(directory, status)
    open_to_others = status.st_mode & _GROUP_MAY_READ
    if not open_to_others:
        return None
    mode = stat.S_IMODE(status.st_mode)
    if not any(directory.iterdir()):
        # As initdb does with an empty directory that exists.
        directory.chmod(0o700)
        return None
    if not status.st_mode & _OTHERS_MAY_WRITE and (directory / FILE_NAME).exists():
        return f"other users may read {directory}, mode {mode:04o}; run: chmod 700 {directory}"
    raise StoreUnavailable(
        f"other users have access to {directory}, mode {mode:04o}",
        f"Run chmod 700 {directory}, if all files in it are your own; or choose an empty directory",
    )


def _check_file(file: Path) -> None:
    try:
        status = file.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(status.st_mode):
        raise StoreUnavailable(
            f"{file} is not a regular file, but {_kind(status)}",
            "Move the file itself there; the directory may be a symbolic link",
        )
    _require_owner(file, status)
    if status.st_mode & 0o077:
        # By its path: a descriptor that is closed would release SQLite's locks on the file.
        file.chmod(0o600)


def _require_owner(path: Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        owner = _user(status.st_uid)
        raise StoreUnavailable(
            f"{path} belongs to user {owner}, not to this user {_user(os.geteuid())}",
            f"Run crossgate as {owner}, or choose a directory of this user",
        )


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _kind(status: os.stat_result) -> str:
    return "a symbolic link" if stat.S_ISLNK(status.st_mode) else "a directory, a device or a pipe"
