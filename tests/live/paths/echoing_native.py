"""A native service that answers each request with the target that it received, and keeps every target."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from types import TracebackType
from typing import Final, Self

_JOIN_SECONDS: Final = 20.0
_END_OF_HEAD: Final = b"\r\n\r\n"


class EchoingNative:
    """Listens while the context lasts, on persistent connections; for requests without a body."""

    def __init__(self) -> None:
        self.targets: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._wake, self._stop = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="echoing-native", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.close()
        self._thread.join(_JOIN_SECONDS)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        received: dict[socket.socket, bytes] = {}
        with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
            for watched in (self._listener, self._wake):
                selector.register(stack.enter_context(watched), selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    connection = key.fileobj
                    assert isinstance(connection, socket.socket)
                    if connection is self._wake:
                        return
                    if connection is self._listener:
                        accepted = stack.enter_context(self._listener.accept()[0])
                        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        selector.register(accepted, selectors.EVENT_READ)
                        received[accepted] = b""
                        continue
                    data = _receive(connection)
                    if not data:
                        selector.unregister(connection)
                        continue
                    received[connection] = self._answer(connection, received[connection] + data)

    def _answer(self, connection: socket.socket, data: bytes) -> bytes:
        *heads, rest = data.split(_END_OF_HEAD)
        for head in heads:
            target = head.split(b" ", 2)[1]
            self.targets.append(target.decode("latin-1"))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(target), target))
        return rest


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionError:
        return b""
