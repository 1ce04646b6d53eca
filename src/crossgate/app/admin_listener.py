"""Where the admin API listens; `admin_server` serves it there."""

from __future__ import annotations

import errno
import socket
from typing import Final

from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.net.address import HostPort

DEFAULT: Final = "127.0.0.1:8090"


def bind(address: HostPort) -> socket.socket:
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
            str(address),
        ) from error
    return bound


def _refused(code: str, message: str, remedy: str, found: str) -> InvalidInput:
    return InvalidInput([Diagnostic(code, message, remedy, found=found)])
