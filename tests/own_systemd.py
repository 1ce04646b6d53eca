"""A real systemd, with nothing but given units, for one test. It needs root, and can change nothing outside.

It is the first process of PID, mount, network, cgroup and other namespaces of its own. Its root is an empty
tmpfs: the programs of this machine are in it read-only, and no directory that can be written is shared. Units
of the distribution are not found, since the path of units has ours only: one of them empties /tmp.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.prerequisites import missing_prerequisite

_ROOT: Final = Path(__file__).parents[1]
_SYSTEMD: Final = Path("/lib/systemd/systemd")
_SECONDS: Final = 120.0
_CLONE_NEWNET: Final = 0x40000000
_BOOT: Final = Path(__file__).with_suffix(".sh")


@dataclass(frozen=True, slots=True)
class OwnSystemd:
    """A running systemd. ``pid`` is its process here."""

    pid: int
    log: Path

    @property
    def root(self) -> Path:
        """Its root directory."""
        return Path(f"/proc/{self.pid}/root")

    def run(self, *words: str, check: bool = True) -> str:
        """The output of a command beside it."""
        enter = (
            "nsenter",
            "--target",
            str(self.pid),
            "--mount",
            "--pid",
            "--ipc",
            "--uts",
            "--root",
            "--wd=/",
        )
        done = subprocess.run([*enter, *words], capture_output=True, text=True, timeout=_SECONDS, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{words}: {done.stdout}{done.stderr}\n{self.logs()}")
        return done.stdout

    def show(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.run("systemctl", "show", unit, "--property", name, "--value").strip()

    @contextmanager
    def network(self) -> Iterator[None]:
        """Sockets that this thread creates, and threads that it starts, belong to the network of systemd."""
        setns = ctypes.CDLL(None, use_errno=True).setns
        with (
            Path("/proc/thread-self/ns/net").open("rb") as ours,
            Path(f"/proc/{self.pid}/ns/net").open("rb") as its,
        ):
            assert setns(its.fileno(), _CLONE_NEWNET) == 0
            try:
                yield
            finally:
                assert setns(ours.fileno(), _CLONE_NEWNET) == 0

    def logs(self) -> str:
        """Everything that systemd and the services wrote."""
        services = sorted(self.root.glob("var/log/*.log"))
        return "\n".join(one.read_text(errors="replace") for one in (self.log, *services))


@contextmanager
def own_systemd(folder: Path, units: Mapping[str, str]) -> Iterator[OwnSystemd]:
    """A systemd with these files below ``/etc``; each service writes to ``/var/log/UNIT.log``."""
    if os.geteuid() != 0 or not _SYSTEMD.exists():
        raise missing_prerequisite("a systemd of its own needs root and the package systemd")
    etc = folder / "etc"
    for target in ("test", "sysinit", "basic", "shutdown", "network-online", "multi-user", "umount"):
        name = f"systemd/system/{target}.target"
        units = {name: "[Unit]\nDefaultDependencies=no\n", **units}
    for unit, text in units.items():
        file = etc / unit
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        if unit.endswith(".service"):
            drop_in = etc / f"{unit}.d" / "log.conf"
            drop_in.parent.mkdir(parents=True, exist_ok=True)
            output = f"append:/var/log/{Path(unit).stem}.log"
            drop_in.write_text(f"[Service]\nStandardOutput={output}\nStandardError={output}\n")
    new_root = folder / "root"
    new_root.mkdir()
    log = folder / "systemd.log"
    group = _cgroup() / f"crossgate-test-{os.getpid()}"
    group.mkdir()
    log.touch()
    paths = (new_root, sys.base_prefix, sysconfig.get_path("purelib"), _ROOT, etc, log)
    unshare = ("unshare", "--pid", "--mount", "--net", "--cgroup", "--ipc", "--uts", "--fork", "--kill-child")
    enter = 'echo $$ > "$0/cgroup.procs"; exec "$@"'
    command = ["sh", "-c", enter, str(group), *unshare, "sh", str(_BOOT), *map(str, paths)]
    with log.open("wb") as opened:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=opened, stderr=subprocess.STDOUT)
    try:
        yield _wait_until_running(process, log)
    finally:
        for child in _children(process.pid):
            os.kill(child, 9)
        process.wait(_SECONDS)
        _remove(group)


def _wait_until_running(process: subprocess.Popen[bytes], log: Path) -> OwnSystemd:
    deadline = time.monotonic() + _SECONDS
    while True:
        children = _children(process.pid)
        if children and Path(f"/proc/{children[0]}/comm").read_text().strip() == "systemd":
            found = OwnSystemd(children[0], log)
            if found.run("systemctl", "is-active", "test.target", check=False).strip() == "active":
                return found
        assert process.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.05)


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _cgroup() -> Path:
    """Where this machine has mounted cgroup version 2."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, path, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(path)
    raise missing_prerequisite("cgroup version 2 is not mounted")


def _remove(group: Path) -> None:
    for below in sorted(group.rglob("*/"), key=lambda one: -len(one.parts)):
        if below.is_dir():
            below.rmdir()
    group.rmdir()
