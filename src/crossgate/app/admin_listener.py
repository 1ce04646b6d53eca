"""Where the admin API listens; `admin_server` serves it there."""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass
from typing import Final

from crossgate.diagnostics import Diagnostic, InvalidInput

DEFAULT: Final = "127.0.0.1:8090"


@dataclass(frozen=True, slots=True)
class AdminAddress:
    """An address and a port, 0 for a free one."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """What clients are given."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def parse_admin_address(text: str, *, in_clear_text: bool = False) -> AdminAddress:
    """Address and port from ``127.0.0.1:8090``.

    Raises:
        InvalidInput: it is none; or other machines could reach it, where tokens would travel in clear text,
            and ``in_clear_text`` does not say that this is meant.

    """
    host, _, port = text.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is None or not (port.isascii() and port.isdigit() and int(port[:6]) <= 65535):
        raise _refused("admin-address", "No address to listen on", "Write 127.0.0.1:8090", text)
    if not address.is_loopback and not in_clear_text:
        raise _refused(
            "admin-clear-text",
            "The admin API would be open to other machines, and tokens would travel in clear text",
            "Listen on a loopback address and put something that speaks TLS in front;"
            " or say --admin-in-clear-text if the network is yours alone",
            text,
        )
    return AdminAddress(str(address), int(port))


def bind(address: AdminAddress) -> socket.socket:
    """A socket on the address, so that a taken port shows before anything starts.

    Raises:
        InvalidInput: nothing can listen there.

    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # With the protocol's own number: asyncio sets TCP_NODELAY only then, and without it an answer, whose head
    # and body are written apart, waits 40 ms for the client's delayed acknowledgement.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address.host, address.port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        taken = error.errno == errno.EADDRINUSE
        raise _refused(
            "admin-address-taken" if taken else "admin-address-unusable",
            "The admin API cannot listen there: "
            + ("something else does" if taken else error.strerror or str(error)),
            "Choose another address with --admin 127.0.0.1:PORT",
            address.url.removeprefix("http://"),
        ) from error
    return bound


def _refused(code: str, message: str, remedy: str, found: str) -> InvalidInput:
    return InvalidInput([Diagnostic(code, message, remedy, found=found)])
