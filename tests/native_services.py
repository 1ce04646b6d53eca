"""Native services for tests: one that responds as the path of a request says, and one that speaks in bytes.

The last segments of a path choose the response of :class:`ScriptedNative`:

    …/status/503           that status, with a plain body
    …/headers              the received header lines as JSON, a list of pairs
    …/echo                 the received body
    …/bytes/1000           that many bytes
    …/slow?seconds=1.5     ``at last`` after that time, or when the service stops
    …/reset                no response: the connection is closed
    …/truncated            fewer bytes than Content-Length says
    …/cors                 ``ok`` with CORS headers, as the parameter ``cors`` adds them
    any other path         200 and ``ok``

In the query, ``header=Name:value`` adds a response header, ``cors`` a set of ``Access-Control-*`` headers,
and ``vary=…`` a ``Vary`` line.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from examples.natives.http_message import Answer, Hangup, Headers, Request, Response
from examples.natives.service import Service

OWN_CORS: Headers = (
    ("Access-Control-Allow-Origin", "http://native.example"),
    ("Access-Control-Allow-Credentials", "true"),
    ("Access-Control-Allow-Methods", "NATIVE"),
    ("Access-Control-Allow-Headers", "x-native"),
    ("Access-Control-Expose-Headers", "x-native"),
    ("Access-Control-Max-Age", "7"),
    ("Access-Control-Allow-Private-Network", "true"),
)
OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
_TRUNCATED: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this"
_JOIN_SECONDS: Final = 20.0


class ScriptedNative(Service):
    """Responds as the path says. Stopping it ends every ``/slow`` response at once."""

    def __init__(self, port: int = 0) -> None:
        self._stopping = threading.Event()
        super().__init__("scripted", self._answer, port)

    def stop(self) -> None:
        self._stopping.set()
        super().stop()

    def _answer(self, request: Request) -> Answer:
        headers = _requested_headers(request)
        match request.path.rstrip("/").split("/")[1:]:
            case [*_, "status", status] if status.isascii() and status.isdigit():
                return Response(int(status), headers, b"as you wished\n")
            case [*_, "headers"]:
                return Response(200, headers, json.dumps(request.headers).encode())
            case [*_, "echo"]:
                return Response(200, headers, request.body)
            case [*_, "bytes", count] if count.isascii() and count.isdigit():
                return Response(200, headers, b"x" * int(count))
            case [*_, "slow"]:
                self._stopping.wait(float(dict(request.query).get("seconds", "1")))
                return Response(200, headers, b"at last\n")
            case [*_, "reset"]:
                return Hangup()
            case [*_, "cors"]:
                return Response(200, (*headers, *OWN_CORS), b"ok")
            case [*_, "truncated"]:
                return Hangup(_TRUNCATED)
            case _:
                return Response(200, headers, b"ok")


def _requested_headers(request: Request) -> Headers:
    headers: list[tuple[str, str]] = []
    for name, value in request.query:
        match name:
            case "header":
                header, _, content = value.partition(":")
                headers.append((header, content.strip()))
            case "cors":
                headers += OWN_CORS
            case "vary":
                headers.append(("Vary", value))
            case _:
                pass
    return tuple(headers)


Conversation = Callable[[socket.socket, bytes], None]
"""Called with a connection and the request head that was read from it; then the connection is closed."""


def answer_ok(connection: socket.socket, _head: bytes) -> None:
    """Respond with 200 and ``ok``."""
    connection.sendall(OK)


class SocketNative:
    """Listens while the context lasts. ``heads`` are the request heads that it received, in their order."""

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
        self._accepting = threading.Thread(target=self._accept, name="socket-native", daemon=True)

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _shut(self._listener)
        self._accepting.join(_JOIN_SECONDS)
        for connection in tuple(self._open):
            _shut(connection)
        for thread in self._threads:
            thread.join(_JOIN_SECONDS)
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
        # A gateway closes the connection if it does not trust the certificate, or when it stops.
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
        # One at a time: the bytes after the head are for the conversation.
        byte = connection.recv(1)
        if not byte:
            return b""
        head += byte
    return head


def _shut(opened: socket.socket) -> None:
    with contextlib.suppress(OSError):
        opened.shutdown(socket.SHUT_RDWR)
