"""Where the admin API listens, and the server that does, on the control plane's own event loop."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from crossgate.diagnostics import Diagnostic, InvalidInput

DEFAULT: Final = "127.0.0.1:8090"
_GRACE_SECONDS: Final = 2
_MOST_CONNECTIONS: Final = 512


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


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the gateway, and says when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serves = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so when it is done."""
        await super().startup(sockets)
        self.serves.set()


@asynccontextmanager
async def serving(app: ASGIApp, bound: socket.socket) -> AsyncIterator[AdminAddress]:
    """Serve the API on the bound socket for as long as the context lasts."""
    server = _Server(
        uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            # The address of a client is what the socket says: anybody can write X-Forwarded-For.
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )
    host, port = bound.getsockname()[:2]
    task = asyncio.create_task(server.serve(sockets=[bound]))
    started = asyncio.create_task(server.serves.wait())
    try:
        await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
        yield AdminAddress(host, port)
    finally:
        started.cancel()
        server.should_exit = True
        await task


def _refused(code: str, message: str, remedy: str, found: str) -> InvalidInput:
    return InvalidInput([Diagnostic(code, message, remedy, found=found)])
