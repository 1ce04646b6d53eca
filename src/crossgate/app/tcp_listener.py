"""Sockets of the admin API and of the health checks, bound before the rest of the gateway starts."""

from __future__ import annotations

import errno
import socket
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
