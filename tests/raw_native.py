"""A native service as bytes on a socket: for addresses, certificates and exchanges that no server offers."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

_SECONDS = 20.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

Conversation = Callable[[socket.socket, bytes], None]
"""Goes on with a connection on which that request head was read; closed afterwards."""


def answer_ok(connection: socket.socket, _head: bytes) -> None:
    """200 and ``ok``."""
    connection.sendall(OK)


class RawNative:
    """Listens while the block lasts; ``heads`` are the request heads that it was sent, in order."""

    def __init__(
        self,
        converse: Conversation = answer_ok,
        *,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.heads: list[bytes] = []
        self._converse = converse
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port = int(self._listener.getsockname()[1])
        self._accepting = threading.Thread(target=self._accept, name="raw-native", daemon=True)

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _shut(self._listener)
        self._accepting.join(_SECONDS)
        for connection in tuple(self._open):
            _shut(connection)
        for thread in self._threads:
            thread.join(_SECONDS)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        # A gateway that does not trust the certificate hangs up, and so does one that is stopped.
        with plain, contextlib.suppress(OSError):
            connection = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
            with connection:
                head = _read_head(connection)
                if head:
                    self.heads.append(head)
                    self._converse(connection, head)
        self._open.discard(plain)


def _read_head(connection: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        # One by one: what follows the head is the conversation's.
        byte = connection.recv(1)
        if not byte:
            return b""
        head += byte
    return head


def _shut(opened: socket.socket) -> None:
    with contextlib.suppress(OSError):
        opened.shutdown(socket.SHUT_RDWR)
