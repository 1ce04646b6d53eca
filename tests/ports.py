"""Free ports for tests, since several test runs share a machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


def free_ports(count: int) -> list[int]:
    """That many different ports, reserved until this process ends, on which nothing listens.

    A socket that never listens stays bound to each. So the kernel uses the port neither for a bind to port 0
    nor for an outgoing connection. A server can still listen on it, since both set SO_REUSEADDR.
    """
    return [_reserved() for _ in range(count)]


@contextmanager
def refusing_port() -> Iterator[int]:
    """A port that refuses every connection, and on which no other process can listen."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])


def _reserved() -> int:
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port = int(holder.getsockname()[1])
    holder.detach()  # open until the process ends
    return port
