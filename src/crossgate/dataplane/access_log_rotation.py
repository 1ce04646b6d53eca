"""Rotation of the access log, on the machine of the Envoy that writes it.

Envoy appends and never looks at the size. The rotator asks Envoy for the files that it writes, because a node
has no catalogue; renames a file that is too large; and lets Envoy open it again. Meanwhile Envoy goes on
writing into the renamed one, so no line is lost. A file that logrotate or another node renamed is opened
again too.

Nothing here can stop Envoy: an error is logged once, and tried again.
"""

from __future__ import annotations

import asyncio
import fcntl
import http.client
import json
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from crossgate.service.log import Log

MAX_BYTES: Final = 100 * 2**20
KEPT_FILES: Final = 5
CHECK_SECONDS: Final = 10.0
_FILE_LOGGER: Final = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"
_TIMEOUT: Final = 5.0


class AccessLogRotation:
    """Rotates the access logs of the Envoy whose admin interface is at ``admin_socket``."""

    def __init__(
        self, admin_socket: Path, *, max_bytes: int = MAX_BYTES, kept_files: int = KEPT_FILES
    ) -> None:
        self._admin_socket = admin_socket
        self._max_bytes = max_bytes
        self._kept_files = kept_files
        self._open: dict[Path, int | None] = {}
        """The inode of each file when Envoy was last known to write it; None if there was none."""
        self._failed = False
        self._log = Log("envoy")

    async def run(self, seconds: float = CHECK_SECONDS) -> None:
        """Check the files at such intervals, until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            await asyncio.to_thread(self.check)

    def check(self) -> None:
        """Rotate what is too large. Blocks."""
        try:
            files = self._files()
        except (OSError, http.client.HTTPException, ValueError):
            # No Envoy at present, or one that ends.
            return
        # A new one is open: Envoy opens its files with its listeners.
        known = {file: self._open[file] if file in self._open else _inode(file) for file in files}
        renamed = False
        try:
            for file in files:
                renamed |= self._rotate(file)
        except OSError as error:
            if not self._failed:
                self._log.warning("cannot rotate the access log", file=error.filename, reason=error.strerror)
            self._failed = True
        else:
            self._failed = False
        self._open = {file: _inode(file) for file in files}
        if renamed or known != self._open:
            self._reopen()

    def _rotate(self, file: Path) -> bool:
        """Rename a file that is too large, and those that were renamed before; returns whether it did."""
        if _size(file) < self._max_bytes:
            return False
        # Of several Envoys that write it, one renames it.
        with _locked(file.parent) as locked:
            if not locked or _size(file) < self._max_bytes:
                return False
            for number in range(self._kept_files - 1, 0, -1):
                older = file.with_name(f"{file.name}.{number}")
                if older.exists():
                    older.replace(file.with_name(f"{file.name}.{number + 1}"))
            file.replace(file.with_name(f"{file.name}.1"))
            return True

    def _reopen(self) -> None:
        try:
            self._ask("POST", "/reopen_logs")
        except (OSError, http.client.HTTPException):
            # The next Envoy opens the file when it starts.
            return
        self._open = {file: _inode(file) for file in self._open}

    def _files(self) -> list[Path]:
        """The regular files that Envoy's listeners write; links are followed, so that they stay."""
        dump = json.loads(self._ask("GET", "/config_dump?resource=dynamic_listeners"))
        paths = {Path(path).resolve() for path in _logged_files(dump)}
        return sorted(path for path in paths if _is_file_or_missing(path))

    def _ask(self, method: str, target: str) -> bytes:
        connection = _UnixConnection(self._admin_socket)
        try:
            connection.request(method, target)
            response = connection.getresponse()
            body = response.read()
            if response.status != http.client.OK:
                raise http.client.HTTPException(response.status)
            return body
        finally:
            connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("envoy", timeout=_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_TIMEOUT)
        self.sock.connect(str(self._path))


def _logged_files(dump: object) -> Iterator[str]:
    if isinstance(dump, dict):
        if dump.get("@type") == _FILE_LOGGER:
            yield str(dump["path"])
        for value in dump.values():
            yield from _logged_files(value)
    elif isinstance(dump, list):
        for value in dump:
            yield from _logged_files(value)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Whether nobody else has locked the folder; then it is locked until the context ends."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _inode(file: Path) -> int | None:
    try:
        return file.stat().st_ino
    except OSError:
        return None


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _is_file_or_missing(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True
