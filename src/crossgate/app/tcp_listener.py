"""Sockets of the admin API and of the health checks, bound before the rest of the gateway starts.

They stay open while the next program takes over in this process: who connects then waits, and is not refused.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.net.address import HostPort


@dataclass(frozen=True, slots=True)
class SocketUse:
    """What a socket is for, in messages."""

    subject: str
    option: str
    code: str


ADMIN: Final = SocketUse("the admin API", "--admin", "admin-address")
HEALTH: Final = SocketUse("the health checks", "--health", "health-address")


def bind_tcp(address: HostPort, use: SocketUse) -> socket.socket:
    """A listening socket; raises InvalidInput if the address is in use or not this machine's."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # The protocol is given by number, since asyncio sets TCP_NODELAY only then. Without it a response, whose
    # head and body are written separately, waits 40 ms for the client's delayed acknowledgement.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address.host, address.port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        in_use = error.errno == errno.EADDRINUSE
        reason = "the address is in use" if in_use else error.strerror or str(error)
        refusal = Diagnostic(
            f"{use.code}-taken" if in_use else f"{use.code}-unusable",
            f"{use.subject} cannot listen: {reason}",
            f"Choose another address with {use.option} 127.0.0.1:PORT",
            found=str(address),
        )
        raise InvalidInput([refusal]) from error
    return bound


class ListeningSockets:
    """The sockets of this process by address, some of them inherited from the previous program."""

    def __init__(self, inherited: Mapping[str, int]) -> None:
        self._open = {address: socket.socket(fileno=number) for address, number in inherited.items()}
        self._used: set[str] = set()
        self._released = False

    def bind(self, address: HostPort, use: SocketUse) -> socket.socket:
        """A copy of the socket of the address, which is bound at first; raises InvalidInput as `bind_tcp`."""
        name = str(address)
        if self._released:
            return bind_tcp(address, use)
        if name not in self._open:
            self._open[name] = bind_tcp(address, use)
        self._used.add(name)
        # Given by number, as above.
        copied = os.dup(self._open[name].fileno())
        return socket.socket(self._open[name].family, socket.SOCK_STREAM, socket.IPPROTO_TCP, copied)

    def keep(self) -> dict[str, int]:
        """The descriptors for the next program, by address; the caller owns them."""
        return {name: self._open.pop(name).detach() for name in self._used}

    def release_unused(self) -> None:
        """Close what was inherited and is not needed any more: an address was changed."""
        for name in self._open.keys() - self._used:
            self._open.pop(name).close()

    def release(self) -> None:
        """Close the sockets, but not the copies."""
        self._released = True
        for one in self._open.values():
            one.close()
        self._open.clear()
        self._used.clear()
