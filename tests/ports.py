"""Ports for tests: never a fixed one, since several runs share a machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


def free_ports(count: int) -> list[int]:
    """That many different ports that are this process's until it ends, and on which nobody listens.

    Each stays bound by a socket that never listens. The kernel then gives it to nobody who asks for any
    port, nor to an outgoing connection, while a server that is told this port gets it: both sides set
    SO_REUSEADDR, as every server does.
    """
    return [_held() for _ in range(count)]


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port that refuses every connection, and that nobody else can take while the block lasts."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])


def _held() -> int:
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port = int(holder.getsockname()[1])
    holder.detach()  # open until the process ends
    return port
