"""The runtime directory of a gateway: Envoy's bootstrap, and the sockets of Envoy and of its servers.

Only its owner may enter it, and its path is short enough for the kernel's limit on unix sockets. A lock file
in it is locked while its gateway runs; the next gateway removes the directories of gateways that were killed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.net.address import MAX_SOCKET_PATH

_SECRETS_SOCKET: Final = "secrets.sock"
"""The longest of the sockets' names."""
_PREFIX: Final = "crossgate-"
_LOCK: Final = "lock"


@dataclass(frozen=True, slots=True)
class RuntimeDirectory:
    """A directory that only its owner may enter; it exists until it is closed."""

    path: Path
    lock_descriptor: int

    @property
    def admin_socket(self) -> Path:
        """Where Envoy's admin interface listens."""
        return self.path / "admin.sock"

    @property
    def control_plane_socket(self) -> Path:
        """Where the control plane listens for the Envoys of this machine."""
        return self.path / "xds.sock"

    @property
    def secrets_socket(self) -> Path:
        """Where this process listens for the Envoy that it starts, to give it certificates and keys."""
        return self.path / _SECRETS_SOCKET

    @property
    def bootstrap_file(self) -> Path:
        """Envoy's bootstrap."""
        return self.path / "bootstrap.json"

    def write_bootstrap(self, document: bytes) -> None:
        """Write Envoy's bootstrap; raises InvalidInput if that fails."""
        try:
            self.bootstrap_file.write_bytes(document)
        except OSError as error:
            raise InvalidInput([_unwritable(self.path, error)]) from None

    def move_admin_socket(self, socket: Path) -> Path:
        """Move an inherited Envoy's admin socket away from where the next one listens; returns where to.

        The socket listens on under its new name, which is as short.
        """
        if socket != self.admin_socket:
            return socket
        moved = next(path for path in self._old_admin_sockets() if not path.exists())
        with suppress(FileNotFoundError):
            socket.rename(moved)
        return moved

    def _old_admin_sockets(self) -> Iterable[Path]:
        return (self.path / f"old-{number}.sock" for number in count(1))

    def close(self) -> None:
        """Remove the directory and release its lock."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock_descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()


def create_runtime_directory(environment: Mapping[str, str] = os.environ) -> RuntimeDirectory:
    """A new directory in ``XDG_RUNTIME_DIR``, else ``TMPDIR``, else ``/tmp``.

    Raises InvalidInput with one diagnostic for each place, which says why it is unsuitable.
    """
    refused = []
    for base in _bases(environment):
        problem = _unsuitable(base)
        if problem is None:
            _remove_abandoned(base)
            try:
                path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
                return RuntimeDirectory(path, _lock(path))
            except OSError as error:
                problem = _unwritable(base, error)
        refused.append(problem)
    raise InvalidInput(refused)


def _bases(environment: Mapping[str, str]) -> Iterable[Path]:
    # TMPDIR comes second because it is often long or on a network file system; /tmp is the last resort.
    named = (environment.get("XDG_RUNTIME_DIR"), environment.get("TMPDIR"), "/tmp")  # noqa: S108 - mkdtemp makes the name
    return dict.fromkeys(Path(name) for name in named if name and name.startswith("/"))


def _unsuitable(base: Path) -> Diagnostic | None:
    if not base.is_dir():
        return _refusal(base, "is not a directory")
    if not os.access(base, os.W_OK | os.X_OK):
        return _refusal(base, "is not writable")
    length = len(os.fsencode(base / (_PREFIX + "12345678") / _SECRETS_SOCKET))
    if length > MAX_SOCKET_PATH:
        return _refusal(
            base, f"is too long: socket paths would have {length} bytes, the limit is {MAX_SOCKET_PATH}"
        )
    return None


def _unwritable(path: Path, error: OSError) -> Diagnostic:
    return _refusal(path, f"is not writable: {error.strerror}")


def _refusal(path: Path, why: str) -> Diagnostic:
    return Diagnostic(
        "runtime-directory",
        f"the runtime directory {why}",
        "Set XDG_RUNTIME_DIR to a writable directory with a short path",
        found=str(path),
    )


def _lock(path: Path) -> int:
    descriptor = os.open(path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove_abandoned(base: Path) -> None:
    """Remove what killed gateways of this user left in ``base``."""
    for path in base.glob(f"{_PREFIX}????????"):
        with suppress(OSError):
            # Without a lock file it belongs to another program, or to a gateway that is just starting.
            if path.lstat().st_uid != os.geteuid() or path.is_symlink() or not (path / _LOCK).exists():
                continue
            descriptor = _lock(path)
            shutil.rmtree(path, ignore_errors=True)
            os.close(descriptor)
