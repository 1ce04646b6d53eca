"""Whether Envoy can append to the file of the access log.

Envoy opens whatever has the name. Into a pipe whose reader stalls it writes without bound, and then does not
end on SIGTERM; so what is not a regular file is refused.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from crossgate.catalogue.telemetry import AccessLog
from crossgate.diagnostics import Diagnostic, Place


def check_access_log(log: AccessLog, place: Place) -> list[Diagnostic]:
    """What is wrong with the file; ``place`` is that of the access log. The file is not opened."""
    reason = _unusable(Path(log.file))
    if reason is None:
        return []
    remedy = "Write the path of a regular file, or of none yet, that the user of the gateway may write"
    message = f"cannot write the access log: {reason}"
    return [Diagnostic("access-log-unusable", message, remedy, place.at("file"), log.file)]


def _unusable(path: Path) -> str | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return _unusable_folder(path)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    if not stat.S_ISREG(status.st_mode):
        return f"it is {_kind(status.st_mode)}"
    return None if os.access(path, os.W_OK) else "permission denied"


def _unusable_folder(path: Path) -> str | None:
    if path.is_symlink():
        return "it is a link to a file that does not exist"
    folder = path.parent
    if not folder.is_dir():
        return f"the directory {folder} does not exist"
    return None if os.access(folder, os.W_OK | os.X_OK) else f"no file can be created in {folder}"


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a directory"
    if stat.S_ISFIFO(mode):
        return "a pipe, which stalls Envoy when its reader does"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "not a regular file"
