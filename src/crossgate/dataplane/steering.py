"""Steers new connections of an address from one Envoy to another that listens there too.

Each worker of an Envoy has a listening socket of its own. The sockets of one address and one user form a
group (SO_REUSEPORT), and the kernel chooses among them by a hash of the connection. So a connection that
waits in a socket when its Envoy closes it is reset. A program that is attached to the group makes the kernel
choose from the sockets of the new Envoy only; when those of the old one are empty, they can be closed
(socket(7), SO_ATTACH_REUSEPORT_CBPF; https://lwn.net/Articles/675043/).

The group numbers its sockets in the order in which they began to listen: those of the new Envoy are the last.
When one is closed, the last one takes its number. A number that does not exist means: by the hash.

The program can be attached to any socket of the group. With `pidfd_getfd` that is a copy of one of Envoy's.
Where the system forbids that (seccomp, Yama), it is a socket of this process, which joins the group for some
microseconds, and drops what it receives meanwhile: the client's kernel sends it again after a second.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

_SO_ATTACH_FILTER: Final = 26
_SO_ATTACH_REUSEPORT_CBPF: Final = 51
_SYS_PIDFD_GETFD: Final = 438
"""On every architecture."""
_LISTEN: Final = "0A"

# Instructions of classic BPF: code, jumps, constant (linux/filter.h).
_Instruction = tuple[int, int, int, int]
_RANDOM: Final[_Instruction] = (0x20, 0, 0, 0xFFFFF000 + 56)
_MODULO, _ADD, _RETURN, _RETURN_NUMBER = 0x94, 0x04, 0x06, 0x16
_DROP: Final[Sequence[_Instruction]] = ((_RETURN, 0, 0, 0),)
_BY_HASH: Final[Sequence[_Instruction]] = ((_RETURN, 0, 0, 0x7FFFFFFF),)


@dataclass(frozen=True, slots=True)
class ListeningSocket:
    """A TCP socket of a process that listens."""

    host: str
    port: int
    descriptor: int
    """In that process."""


@dataclass(frozen=True, slots=True)
class _Group:
    """The sockets of one address, of both Envoys."""

    new: ListeningSocket
    old_count: int
    new_count: int


def listening_sockets(pid: int) -> list[ListeningSocket]:
    """The TCP sockets of a process that listen; raises OSError if it may not be inspected. Blocks."""
    listening = _listening(pid)
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            inode = link.readlink().name.removeprefix("socket:[").removesuffix("]")
            if inode in listening:
                found.append(ListeningSocket(*listening[inode], int(link.name)))
    return found


def _listening(pid: int) -> dict[str, tuple[str, int]]:
    """The addresses of all listening sockets of the process's network, by inode."""
    found = {}
    for table in ("tcp", "tcp6"):
        with suppress(FileNotFoundError), Path(f"/proc/{pid}/net/{table}").open(encoding="ascii") as lines:
            next(lines)
            for line in lines:
                words = line.split()
                if words[3] == _LISTEN:
                    found[words[9]] = _address(words[1])
    return found


def _address(written: str) -> tuple[str, int]:
    """Host and port, as ``/proc/net/tcp`` has them: words in the machine's byte order."""
    host, _, port = written.partition(":")
    words = bytes.fromhex(host)
    packed = b"".join(
        struct.pack(">I", *struct.unpack("=I", words[at : at + 4])) for at in range(0, len(words), 4)
    )
    return str(ip_address(packed)), int(port, 16)


def steer(new_pid: int) -> list[str]:
    """Send each new connection to ``new_pid``, where others of this user listen too; returns the addresses.

    Blocks. Raises OSError if the system forbids it; then the kernel goes on choosing by the hash.
    """
    groups = _groups(new_pid)
    for group in groups:
        program = (
            _RANDOM,
            (_MODULO, 0, 0, group.new_count),
            (_ADD, 0, 0, group.old_count),
            (_RETURN_NUMBER, 0, 0, 0),
        )
        _attach(new_pid, group.new, program)
    return [f"{group.new.host} port {group.new.port}" for group in groups]


def prepare_closing(new_pid: int) -> None:
    """Keep steering while the old sockets are closed one by one, and so get other numbers. Blocks.

    The number of the first new socket stays that of a new one as long as it exists. What a program with
    several numbers would choose by the hash meanwhile could be an old socket.
    """
    for group in _groups(new_pid):
        _attach(new_pid, group.new, ((_RETURN, 0, 0, group.old_count),))


def shares_addresses(pid: int) -> bool:
    """Whether other sockets listen where those of the process do. Blocks."""
    return bool(_groups(pid))


def end_steering(new_pid: int) -> None:
    """Let the kernel choose by the hash, when no other process listens there any more. Blocks.

    A program that stayed would send connections to the next Envoy as soon as it listens.
    """
    for one in {(one.host, one.port): one for one in listening_sockets(new_pid)}.values():
        _attach(new_pid, one, _BY_HASH)


def _groups(new_pid: int) -> list[_Group]:
    everyone = Counter(_listening(new_pid).values())
    own = listening_sockets(new_pid)
    counts = Counter((one.host, one.port) for one in own)
    return [
        _Group(one, everyone[address] - counts[address], counts[address])
        for address, one in {(one.host, one.port): one for one in own}.items()
        if everyone[address] > counts[address]
    ]


def _attach(pid: int, one: ListeningSocket, program: Sequence[_Instruction]) -> None:
    try:
        copied = _copy_of(pid, one.descriptor)
    except OSError:
        with _joined(one) as joined:
            _set_program(joined, _SO_ATTACH_REUSEPORT_CBPF, program)
        return
    # Closed at once: a copy would go on listening after Envoy closed its own.
    with copied:
        _set_program(copied, _SO_ATTACH_REUSEPORT_CBPF, program)


def _copy_of(pid: int, descriptor: int) -> socket.socket:
    """A copy of a process's socket (pidfd_getfd(2)); the kernel asks what it asks of a debugger."""
    process = os.pidfd_open(pid)
    try:
        syscall = ctypes.CDLL(None, use_errno=True).syscall
        copied = syscall(_SYS_PIDFD_GETFD, process, descriptor, 0)
    finally:
        os.close(process)
    if copied < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return socket.socket(fileno=copied)


@contextmanager
def _joined(one: ListeningSocket) -> Iterator[socket.socket]:
    """A socket of this process in the group, for as long as the context lasts. It accepts nothing."""
    family = socket.AF_INET6 if ":" in one.host else socket.AF_INET
    with socket.socket(family) as joining:
        joining.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        joining.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            # As Envoy's: otherwise it would be a group of its own.
            joining.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        _set_program(joining, _SO_ATTACH_FILTER, _DROP)
        joining.bind((one.host, one.port))
        joining.listen(1)
        yield joining


def _set_program(target: socket.socket, option: int, program: Sequence[_Instruction]) -> None:
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in program))
    # struct sock_fprog: the number of instructions, and where they are.
    target.setsockopt(socket.SOL_SOCKET, option, struct.pack("@HP", len(program), ctypes.addressof(code)))
