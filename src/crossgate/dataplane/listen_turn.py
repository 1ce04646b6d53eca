"""One gateway of a user at a time checks a port, and listens there: two that start together would share it.

Envoys of one user may listen at the same address (SO_REUSEPORT), so only a check finds that another one does.
The turn is a name in the abstract namespace of unix sockets, which belongs to the same network as the port,
and ends with its process (unix(7)).
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05


@asynccontextmanager
async def listen_turn(port: int) -> AsyncIterator[None]:
    """Wait until no other gateway of this user starts to listen on the port; at most 30 s."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as turn:
        name = f"\0crossgate-listen-{os.geteuid()}-{port}"
        waited = 0.0
        # Another user may have taken the name. Their Envoy cannot share the port, so nothing is lost.
        while waited < _SECONDS and not _takes(turn, name):
            await asyncio.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
        yield


def _takes(turn: socket.socket, name: str) -> bool:
    try:
        turn.bind(name)
    except OSError:
        return False
    return True
