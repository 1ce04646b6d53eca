"""Pings of the native service keep a quiet WebSocket open; without them it ends."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.live.edge.requests import GOOD, POLICY, publish
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Origin

pytestmark = pytest.mark.live

IDLE, PING, SECONDS = 2.0, 0.1, 60.0


def echo(connection: ServerConnection) -> None:
    """Sends back what it receives, and is quiet otherwise."""
    with contextlib.suppress(ConnectionClosed):
        for message in connection:
            connection.send(message)


@contextlib.contextmanager
def native(ping: float | None) -> Iterator[int]:
    """A native service that sends a ping so often; its port."""
    with serve(echo, "127.0.0.1", 0, ping_interval=ping) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield int(server.socket.getsockname()[1])
        server.shutdown()
        thread.join(SECONDS)


def opened(port: int, name: str) -> ClientConnection:
    """A WebSocket whose client sends no pings, as browsers do not."""
    url = f"ws://127.0.0.1:{port}/gateway/{name}/1/room"
    connection: ClientConnection = connect(url, origin=Origin(GOOD), ping_interval=None, proxy=None)
    return connection


def test_pings_of_the_native_service_keep_a_websocket_open(gateway: LiveGateway) -> None:
    with ExitStack() as stack:
        apis = [
            api(name, stack.enter_context(native(ping)), POLICY, websocket_idle_timeout=IDLE)
            for name, ping in (("pinging", PING), ("quiet", None))
        ]
        publish(gateway, catalogue_of(gateway.port, apis))
        pinging = stack.enter_context(opened(gateway.port, "pinging"))
        quiet = stack.enter_context(opened(gateway.port, "quiet"))
        # That the quiet one has ended says that more than its idle time has passed.
        with pytest.raises(ConnectionClosed):
            quiet.recv(SECONDS)
        pinging.send("still here")
        assert pinging.recv(SECONDS) == "still here"
