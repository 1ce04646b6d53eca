"""Which processes listen on a TCP port, as far as /proc tells this user."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LISTEN = "0A"
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that listens: its id and the name of its program."""

    pid: int
    command: str


def holders(port: int) -> tuple[Holder, ...]:
    """The processes that listen on ``port``, by id; empty if none, or none that this user may look into."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    if not sockets:
        return ()
    pids = sorted(int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return tuple(Holder(pid, _command(pid)) for pid in pids if _has_open(pid, sockets))


def _inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("net/tcp", "net/tcp6"):
        with suppress(OSError):
            for line in (_PROC / table).read_text().splitlines()[1:]:
                # proc(5): sl, local_address, rem_address, st, queues, timer, retransmits, uid, timeout, inode
                fields = line.split()
                if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(fields[9])
    return inodes


def _has_open(pid: int, sockets: set[str]) -> bool:
    # Processes end while they are looked at, and those of others may not be looked into.
    with suppress(OSError):
        for descriptor in (_PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                if str(descriptor.readlink()) in sockets:
                    return True
    return False


def _command(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return "a program that just ended"
