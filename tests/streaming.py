"""Streams that take time: a native service, and clients over HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from dataclasses import dataclass
from functools import partial
from typing import Final

from tests.http2_client import http2
from tests.native_services import SocketNative
from tests.raw_http import Http1, RawRequest, RawResponse, connected

EVENT: Final = b"data: tick\n\n"
PIECE: Final = b"x" * 1000
UPGRADED: Final = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
_PLAIN = _OK + b"Content-Length: 2\r\n\r\nok"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long everything takes, in seconds."""

    pieces: int
    pause: float
    """Between two pieces."""
    quiet: float
    """For which a WebSocket is quiet, and an answer is delayed."""
    timeout: float = 30.0
    """For which a client waits."""

    def native(self) -> SocketNative:
        """A native service that does what the first segment of the path says."""
        return SocketNative(partial(_converse, self))

    def get(
        self, http: str, target: str, origin: str, port: int, tls: ssl.SSLContext | None = None
    ) -> RawResponse:
        """The response to a request."""
        request = RawRequest("GET", target, (("origin", origin),))
        if http == "2":
            with http2(port, tls, timeout=self.timeout) as streams:
                return streams.read(streams.start(request))
        with connected(port, tls, timeout=self.timeout) as opened, opened.makefile("rb") as stream:
            return Http1(opened, stream).send(request)

    def upload(self, http: str, target: str, origin: str, sent: int, port: int) -> RawResponse:
        """The response to an upload of which only so many pieces are sent."""
        headers = (("origin", origin), ("content-length", str(self.pieces * len(PIECE))))
        request = RawRequest("POST", target, headers)
        if http == "2":
            with http2(port, timeout=self.timeout) as streams:
                number = streams.start(request, end=False)
                for piece in range(sent):
                    streams.push(number, PIECE, end=piece == self.pieces - 1)
                    time.sleep(self.pause)
                return streams.read(number)
        with connected(port, timeout=self.timeout) as opened, opened.makefile("rb") as stream:
            connection = Http1(opened, stream)
            connection.send_only(request)
            for _ in range(sent):
                connection.push(PIECE)
                time.sleep(self.pause)
            return connection.read_response(request)

    def websocket(self, target: str, origin: str, spelling: str, port: int) -> RawResponse:
        """The response to the handshake; its body is what the native service echoes after ``quiet``."""
        handshake = (
            f"GET {target} HTTP/1.1\r\nHost: gateway.test\r\nConnection: Upgrade\r\nUpgrade: {spelling}\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Origin: {origin}\r\n\r\n"
        )
        with connected(port, timeout=self.timeout) as opened, opened.makefile("rb") as stream:
            connection = Http1(opened, stream)
            answer = connection.send_raw(handshake)
            if answer.status != 101:
                return answer
            time.sleep(self.quiet)
            echoed = b""
            with contextlib.suppress(ConnectionError):
                connection.push(b"hello")
                echoed = connection.pull(5)
            return RawResponse(answer.status, answer.headers, echoed)


def _converse(pace: Pace, connection: socket.socket, head: bytes) -> None:
    match head.split(b" ")[1].decode().split("/")[1]:
        case "events":
            connection.sendall(_OK + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(pace.pieces):
                connection.sendall(b"%x\r\n%b\r\n" % (len(EVENT), EVENT))
                time.sleep(pace.pause)
            connection.sendall(b"0\r\n\r\n")
        case "download":
            connection.sendall(_OK + b"Content-Length: %d\r\n\r\n" % (pace.pieces * len(PIECE)))
            for _ in range(pace.pieces):
                connection.sendall(PIECE)
                time.sleep(pace.pause)
        case "upload":
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            while length > 0 and (received := connection.recv(min(length, 65536))):
                length -= len(received)
            connection.sendall(_PLAIN)
        case "gap":
            connection.sendall(_OK + b"Content-Length: 10\r\n\r\nfirst")
            _until_closed(connection)
        case "delayed":
            time.sleep(pace.quiet)
            connection.sendall(_PLAIN)
        case "websocket":
            connection.sendall(UPGRADED)
            while received := connection.recv(100):
                connection.sendall(received)
        case _:
            _until_closed(connection)


def _until_closed(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            pass
