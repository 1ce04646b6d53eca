"""A part of the system for one test's commands alone, a small disk or a network: gone with them.

Linux's namespaces. Root may make them, others where the system lets them; where it lets nobody, the test is
skipped for all to see, and fails under CI.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.prerequisites import missing_prerequisite

_MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2" && echo mounted && exec cat'
_LAUNCH = Path(__file__).with_name("own_network.py")


@dataclass(frozen=True, slots=True)
class OwnDisk:
    """A small disk that the process ``holder`` and the commands that join it see at ``directory``."""

    directory: Path
    holder: int

    @property
    def before(self) -> tuple[str, ...]:
        """What to put before a command that is to see it."""
        ours, its = (Path(f"/proc/{process}/ns/user").readlink() for process in ("self", self.holder))
        user = () if ours == its else ("--user", "--preserve-credentials")
        return ("nsenter", "--target", str(self.holder), *user, "--mount", f"--wd={Path.cwd()}")

    def fill(self) -> None:
        """Leave no byte of it."""
        with self._filler.open("wb", buffering=0) as filler, suppress(OSError):
            while filler.write(bytes(4096)):
                pass

    def free(self) -> None:
        """Take that back."""
        self._filler.unlink()

    @property
    def _filler(self) -> Path:
        return Path(f"/proc/{self.holder}/root", *self.directory.parts[1:], "filler")


@contextmanager
def own_disk(directory: Path, size: int) -> Iterator[OwnDisk]:
    """A disk of ``size`` bytes, empty at first."""
    directory.mkdir()
    command = (*_unshare("--mount"), "sh", "-c", _MOUNT, "sh", str(size), str(directory))
    # It ends with its input, so with this process, however that ends.
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
        """What to put before the command that is to have it."""
        relays = (f"{self.socket(port)}={port}" for port in self.ports)
        return (*_unshare("--net"), sys.executable, str(_LAUNCH), *relays, "--")

    def socket(self, port: int) -> Path:
        """Whoever connects here connects to that port in there."""
        return self.folder / f"{port}.sock"


def _unshare(what: str) -> tuple[str, ...]:
    said = ""
    for privilege in ((), ("--map-root-user",)):
        words = ("unshare", *privilege, what)
        tried = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            return words
        said = tried.stderr.strip()
    raise missing_prerequisite(f"this system gives us no namespace: {said}")
