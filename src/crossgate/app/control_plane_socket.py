"""The socket of a control plane that no option names: always the same one, so that nodes find it again."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.net.address import MAX_SOCKET_PATH, UnixSocket

_NAME: Final = "xds.sock"


def default_control_plane_socket(environment: Mapping[str, str]) -> UnixSocket:
    """``xds.sock`` in systemd's runtime directory of the service, or in one that only this user may enter.

    Raises:
        InvalidInput: the directory cannot be used, or other users could replace the socket.

    """
    # systemd names several directories with colons between them: systemd.exec(5), RuntimeDirectory=.
    ours = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    if ours.startswith("/"):
        return _socket_in(Path(ours))
    session = environment.get("XDG_RUNTIME_DIR", "")
    if session.startswith("/"):
        return _socket_in(_private(Path(session, "crossgate")))
    return _socket_in(_private(Path(tempfile.gettempdir(), f"crossgate-{os.geteuid()}")))


def _private(directory: Path) -> Path:
    """The directory, which belongs to this user alone: in /tmp, anybody may create one of that name."""
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        status = directory.lstat()
    except OSError as error:
        raise _unusable(error.strerror or str(error), directory) from error
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise _unusable("other users could replace the socket in it", directory)
    return directory


def _socket_in(directory: Path) -> UnixSocket:
    socket = directory / _NAME
    if len(os.fsencode(socket)) > MAX_SOCKET_PATH:
        raise _unusable(f"the socket's path is longer than {MAX_SOCKET_PATH} bytes", directory)
    return UnixSocket(socket)


def _unusable(reason: str, directory: Path) -> InvalidInput:
    return InvalidInput(
        [
            Diagnostic(
                "xds-directory-unusable",
                f"the directory of the control plane's socket cannot be used: {reason}",
                "Choose an address with --xds unix:/path or --xds 127.0.0.1:PORT",
                found=str(directory),
            )
        ]
    )
