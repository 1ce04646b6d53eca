"""The directory of a running gateway: Envoy's bootstrap, its admin socket, the control plane's socket.

It is the owner's alone, and short enough for the kernel's limit on the path of a unix socket. A lock in
it says that its gateway lives; the directories of gateways that were killed are removed by the next one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from crossgate.diagnostics import Diagnostic, InvalidInput

# sockaddr_un.sun_path holds 108 bytes, the last a zero (unix(7)).
LONGEST_SOCKET_PATH = 107
LONGEST_SOCKET_NAME = "admin.sock"
_PREFIX = "crossgate-"
_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class RuntimeDirectory:
    """A directory that only its owner may enter, held until it is closed or its process ends."""

    path: Path
    lock: int
    temporary: bool

    @property
    def admin_socket(self) -> Path:
        """Where Envoy's admin interface listens."""
        return self.path / "admin.sock"

    @property
    def control_plane_socket(self) -> Path:
        """Where the control plane listens for Envoys of this machine."""
        return self.path / "xds.sock"

    @property
    def bootstrap_file(self) -> Path:
        """Where Envoy's bootstrap is written."""
        return self.path / "bootstrap.json"

    def write_bootstrap(self, document: bytes) -> None:
        """Put Envoy's bootstrap where it reads it; raises InvalidInput if that fails."""
        try:
            self.bootstrap_file.write_bytes(document)
        except OSError as error:
            raise InvalidInput([_unwritable(self.path, error)]) from None

    def close(self) -> None:
        """Give the directory up; if Crossgate chose it, it is removed."""
        if self.temporary:
            shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()


def create(environment: Mapping[str, str] = os.environ) -> RuntimeDirectory:
    """A new directory in ``XDG_RUNTIME_DIR`` or, failing that, the system's temporary one.

    Raises InvalidInput that names each place tried, and why it won't do.
    """
    refused = []
    for base in _bases(environment):
        problem = _unsuitable(base)
        if problem is None:
            _sweep(base)
            try:
                path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
                return RuntimeDirectory(path, _lock(path), temporary=True)
            except OSError as error:
                problem = _unwritable(base, error)
        refused.append(problem)
    raise InvalidInput(refused)


def use(path: Path) -> RuntimeDirectory:
    """The directory ``path``, made if need be; raises InvalidInput if it won't do or is in use."""
    path = path.absolute()
    if problem := _too_long(path):
        raise InvalidInput([problem])
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
    except OSError as error:
        raise InvalidInput([_refusal(path, f"can't be made: {error.strerror}")]) from None
    if found.st_uid != os.geteuid():
        raise InvalidInput([_refusal(path, f"belongs to another user (uid {found.st_uid})")])
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise InvalidInput([_refusal(path, "can be entered by other users", remedy=f"Run: chmod 700 {path}")])
    try:
        return RuntimeDirectory(path, _lock(path), temporary=False)
    except BlockingIOError:
        raise InvalidInput([_refusal(path, "is used by a gateway that is running")]) from None
    except OSError as error:
        raise InvalidInput([_unwritable(path, error)]) from None


def _bases(environment: Mapping[str, str]) -> Iterable[Path]:
    # TMPDIR is asked too, but it is often long or shared over a network; /tmp is the last resort.
    named = (environment.get("XDG_RUNTIME_DIR"), environment.get("TMPDIR"), "/tmp")  # noqa: S108 - mkdtemp makes the name
    return dict.fromkeys(Path(name) for name in named if name and name.startswith("/"))


def _unsuitable(base: Path) -> Diagnostic | None:
    if not base.is_dir():
        return _refusal(base, "is not a directory")
    if not os.access(base, os.W_OK | os.X_OK):
        return _refusal(base, "can't be written to")
    return _too_long(base / (_PREFIX + "12345678"))


def _too_long(path: Path) -> Diagnostic | None:
    length = len(os.fsencode(path / LONGEST_SOCKET_NAME))
    if length <= LONGEST_SOCKET_PATH:
        return None
    return _refusal(
        path, f"is too long: its sockets' paths have {length} bytes, and at most {LONGEST_SOCKET_PATH} work"
    )


def _unwritable(path: Path, error: OSError) -> Diagnostic:
    return _refusal(path, f"can't be written to: {error.strerror}")


def _refusal(
    path: Path, why: str, *, remedy: str = "Choose another runtime directory, or set XDG_RUNTIME_DIR"
) -> Diagnostic:
    return Diagnostic("runtime-directory", f"The runtime directory {why}", remedy, found=str(path))


def _lock(path: Path) -> int:
    descriptor = os.open(path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _sweep(base: Path) -> None:
    """Remove what killed gateways of this user left in ``base``."""
    for path in base.glob(f"{_PREFIX}????????"):
        with suppress(OSError):
            # Without a lock file it is a directory of something else, or of a gateway that is just starting.
            if path.lstat().st_uid != os.geteuid() or path.is_symlink() or not (path / _LOCK).exists():
                continue
            descriptor = _lock(path)
            shutil.rmtree(path, ignore_errors=True)
            os.close(descriptor)
