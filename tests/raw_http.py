"""An HTTP/1.1 and HTTP/2 client that sends any bytes as a request, and parses the responses."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset
from tests.visible_result import HeaderLines

_SECONDS = 20.0
_HOST = "gateway.test"


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request; header values are Latin-1 strings that stand for bytes."""

    method: str
    target: str
    headers: HeaderLines


@dataclass(frozen=True, slots=True)
class RawResponse:
    """A response; status 0 stands for a stream that was reset."""

    status: int
    headers: HeaderLines
    body: bytes

    @property
    def text(self) -> str:
        """The body as a Latin-1 string."""
        return self.body.decode("latin-1")

    def all(self, name: str) -> list[str]:
        """The value of every line of a header."""
        return [value for found, value in self.headers if found.lower() == name.lower()]


@contextmanager
def connected(
    port: int,
    tls: ssl.SSLContext | None = None,
    *,
    source: str = "127.0.0.1",
    timeout: float = _SECONDS,
) -> Iterator[socket.socket]:
    """A connection to a port of this machine, over TLS if a context is given.

    ``source`` is the client's address: ``::1``, or any that begins with 127.
    """
    host = "::1" if ":" in source else "127.0.0.1"
    # A socket that is bound first takes a port that no other connection of the address may use, even one that
    # has ended: after some 28,000 connections none would be left.
    bound = None if source == host else (source, 0)
    with socket.create_connection((host, port), timeout=timeout, source_address=bound) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is None:
            yield plain
        else:
            with tls.wrap_socket(plain, server_hostname=_HOST) as secure:
                yield secure


@contextmanager
def http1(port: int, tls: ssl.SSLContext | None = None, *, source: str = "127.0.0.1") -> Iterator[Http1]:
    """A persistent HTTP/1.1 connection from an address; see :func:`connected`."""
    with connected(port, tls, source=source) as opened, opened.makefile("rb") as stream:
        yield Http1(opened, stream)


class Http1:
    """Sends requests one after another: Envoy closes a connection with pipelined direct responses."""

    def __init__(self, opened: socket.socket, stream: BinaryIO) -> None:
        self._socket = opened
        self._stream = stream

    def send(self, request: RawRequest) -> RawResponse:
        """Send the request and return its response."""
        self.send_only(request)
        return self.read_response(request)

    def send_only(self, request: RawRequest) -> None:
        """Send the request; :meth:`read_response` reads its response."""
        self._socket.sendall(_as_bytes(request))

    def read_response(self, request: RawRequest) -> RawResponse:
        """Read the response to a request that was sent."""
        return self._read(request.method)

    def send_raw(self, text: str) -> RawResponse:
        """Send bytes that need not be a request, and return the response."""
        self._socket.sendall(text.encode("latin-1"))
        return self._read("GET")

    def push(self, data: bytes) -> None:
        """Send bytes, after an upgrade or as a part of a request."""
        self._socket.sendall(data)

    def pull(self, count: int) -> bytes:
        """Read that many bytes, or fewer if the connection ends before."""
        return self._stream.read(count)

    def _read(self, method: str) -> RawResponse:
        line = self._line()
        if not line:
            raise EOFError("the connection was closed before a response")
        status = int(line.split(" ", 2)[1])
        headers = tuple(self._headers())
        fields = {name.lower(): value for name, value in headers}
        if method == "HEAD" or status in (204, 304):
            body = b""
        elif fields.get("transfer-encoding", "").lower() == "chunked":
            body = b"".join(self._chunks())
        else:
            body = self._stream.read(int(fields.get("content-length", "0")))
        return RawResponse(status, headers, body)

    def _headers(self) -> Iterator[tuple[str, str]]:
        while line := self._line():
            name, _, value = line.partition(":")
            yield name, value.strip()

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._line().partition(";")[0], 16):
            yield self._stream.read(size)
            self._line()
        self._line()

    def _line(self) -> str:
        return self._stream.readline().decode("latin-1").rstrip("\r\n")


def _as_bytes(request: RawRequest) -> bytes:
    headers = (*(() if _host(request) else (("Host", _HOST),)), *request.headers)
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _host(request: RawRequest) -> str | None:
    return next((value for name, value in request.headers if name.lower() == "host"), None)


def send_http2(port: int, request: RawRequest, tls: ssl.SSLContext | None = None) -> RawResponse:
    """Send one request over HTTP/2, without validation; without TLS, with prior knowledge."""
    configuration = H2Configuration(
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
        validate_inbound_headers=False,
        header_encoding=None,
    )
    connection = H2Connection(configuration)
    connection.initiate_connection()
    pseudo = (
        (b":method", request.method.encode("latin-1")),
        (b":scheme", b"https" if tls else b"http"),
        (b":authority", (_host(request) or _HOST).encode("latin-1")),
        (b":path", request.target.encode("latin-1")),
    )
    lines = (
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in request.headers
        if name.lower() != "host"
    )
    stream = connection.get_next_available_stream_id()
    connection.send_headers(stream, [*pseudo, *lines], end_stream=True)
    with connected(port, tls) as opened:
        opened.sendall(connection.data_to_send())
        return _read_http2(opened, connection)


def _read_http2(opened: socket.socket, connection: H2Connection) -> RawResponse:
    headers: HeaderLines = ()
    body = b""
    while received := opened.recv(65536):
        for event in connection.receive_data(received):
            if isinstance(event, ResponseReceived):
                headers = tuple(_decoded(event.headers))
            elif isinstance(event, DataReceived):
                body += event.data
            elif isinstance(event, StreamReset):
                return RawResponse(0, headers, body)
            elif isinstance(event, StreamEnded):
                status = int(dict(headers)[":status"])
                return RawResponse(status, tuple(line for line in headers if line[0] != ":status"), body)
        opened.sendall(connection.data_to_send())
    raise EOFError("the connection was closed before a response")


def _decoded(lines: Iterable[tuple[bytes | str, bytes | str]]) -> Iterator[tuple[str, str]]:
    for name, value in lines:
        yield _text(name), _text(value)


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
