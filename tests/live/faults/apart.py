"""A small disk or a network for the commands of one test; it ends with them.

They are Linux namespaces. Root may create them, other users where the system permits it. Where it does not,
the test is skipped with a message, and fails under CI.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.prerequisites import missing_prerequisite

_MOUNT = 'mount -t tmpfs -o size="$1",mode=700 tmpfs "$2" && echo mounted && exec cat'
_LAUNCH = Path(__file__).with_name("own_network.py")


@dataclass(frozen=True, slots=True)
class OwnDisk:
    """A small disk at ``directory``, for the process ``holder`` and the commands that join it."""

    directory: Path
    holder: int

    @property
    def before(self) -> tuple[str, ...]:
        """The words before a command that makes it use the disk."""
        ours, its = (Path(f"/proc/{process}/ns/user").readlink() for process in ("self", self.holder))
        user = () if ours == its else ("--user", "--preserve-credentials")
        return ("nsenter", "--target", str(self.holder), *user, "--mount", f"--wd={Path.cwd()}")

    def fill(self) -> None:
        """Write until the disk is full."""
        with self._filler.open("wb", buffering=0) as filler, suppress(OSError):
            while filler.write(bytes(4096)):
                pass

    def free(self) -> None:
        """Free what `fill` wrote."""
        self._filler.unlink()

    @property
    def _filler(self) -> Path:
        return Path(f"/proc/{self.holder}/root", *self.directory.parts[1:], "filler")


@contextmanager
def own_disk(directory: Path, size: int) -> Iterator[OwnDisk]:
    """A disk of ``size`` bytes, empty at first."""
    directory.mkdir()
    command = (*_unshare("--mount"), "sh", "-c", _MOUNT, "sh", str(size), str(directory))
    # It ends with its input, and so with this process, even if that is killed.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"mounted\n"
        yield OwnDisk(directory, holder.pid)
        holder.stdin.close()


@dataclass(frozen=True, slots=True)
class OwnNetwork:
    """A network with nothing but a loopback interface; sockets in ``folder`` lead to its ``ports``."""

    folder: Path
    ports: tuple[int, ...]

    @property
    def before(self) -> tuple[str, ...]:
        """The words before a command that makes it use the network."""
        relays = (f"{self.socket(port)}={port}" for port in self.ports)
        return (*_unshare("--net"), sys.executable, str(_LAUNCH), *relays, "--")

    def socket(self, port: int) -> Path:
        """The socket that leads to ``port`` in the network."""
        return self.folder / f"{port}.sock"


def _unshare(what: str) -> tuple[str, ...]:
    error = ""
    for privilege in ((), ("--map-root-user",)):
        words = ("unshare", *privilege, what)
        tried = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            return words
        error = tried.stderr.strip()
    raise missing_prerequisite(f"this system gives no namespace: {error}")
