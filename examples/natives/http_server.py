"""An HTTP/1.1 server: parses requests, calls ``exchange`` for each, and writes the responses.

It handles ``Content-Length`` and chunked bodies, and keeps connections alive.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer

from examples.natives.http_message import Answer, Hangup, Request, Response

Exchange = Callable[[Request], Answer]

_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class Server(ThreadingTCPServer):
    """Listens on ``127.0.0.1`` and calls ``exchange`` for each request, in one thread per connection."""

    allow_reuse_address = True
    request_queue_size = 1024
    # Threads are joined on close, so that no socket stays open.
    daemon_threads = False

    def __init__(self, exchange: Exchange, port: int) -> None:
        self.exchange = exchange
        self._connections: set[socket.socket] = set()
        self._ended = False
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Connection)

    def add_connection(self, connection: socket.socket) -> None:
        """Register a connection, so that it can be shut; after the end it is shut at once."""
        with self._lock:
            self._connections.add(connection)
            if self._ended:
                _shut(connection)

    def remove_connection(self, connection: socket.socket) -> None:
        """Remove a connection that is about to be closed."""
        with self._lock:
            self._connections.discard(connection)

    def end_connections(self) -> None:
        """Shut every connection, idle ones too, so that their threads end."""
        with self._lock:
            self._ended = True
            for connection in self._connections:
                _shut(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """Print errors of the application, but not that a client disconnected."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # both are only printed


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the peer closed it first
        connection.shutdown(socket.SHUT_RDWR)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server
    connection: socket.socket

    def setup(self) -> None:
        super().setup()
        self.server.add_connection(self.connection)

    def finish(self) -> None:
        self.server.remove_connection(self.connection)
        super().finish()

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The base class calls do_METHOD; here every method is allowed.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Log nothing: the service has its own log."""

    def _serve(self) -> None:
        request = Request(self.command, self.path, tuple(self.headers.items()), self._body())
        match self.server.exchange(request):
            case Response() as response:
                self.wfile.write(_serialised(response, self.command))
            case Hangup(sent):
                self.wfile.write(sent)
                self.close_connection = True

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(iter(self._chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        data = self.rfile.read(size)
        self.rfile.readline()  # the line end after the data, or after the last chunk
        return data


def _serialised(response: Response, method: str) -> bytes:
    # In one write: a second one would wait for the acknowledgement of the first (Nagle's algorithm).
    try:
        reason = HTTPStatus(response.status).phrase
    except ValueError:
        reason = "Unknown"
    lines = [f"HTTP/1.1 {response.status} {reason}", f"Date: {formatdate(usegmt=True)}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    bodiless = response.status in _WITHOUT_BODY
    if not bodiless:
        lines.append(f"Content-Length: {len(response.body)}")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return head if bodiless or method == "HEAD" else head + response.body
