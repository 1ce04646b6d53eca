"""An HTTP/2 connection with several streams, of which each sends and receives on its own."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, Event, ResponseReceived, StreamEnded, StreamReset
from tests.raw_http import RawRequest, RawResponse, connected
from tests.visible_result import HeaderLines


@dataclass(slots=True)
class _Stream:
    headers: HeaderLines = ()
    body: bytes = b""
    ended: bool = False
    reset: int | None = None


@dataclass(slots=True)
class Http2:
    """One connection, without validation of what it sends."""

    _socket: socket.socket
    _connection: H2Connection
    _streams: dict[int, _Stream] = field(default_factory=dict)
    terminated: bool = False
    """Whether the gateway has ended the connection."""

    def start(self, request: RawRequest, *, end: bool = True) -> int:
        """Send the head of a request, and return the number of its stream."""
        stream = self._connection.get_next_available_stream_id()
        lines = {
            ":method": request.method,
            ":scheme": "http",
            ":authority": "gateway.test",
            ":path": request.target,
        }
        headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in (*lines.items(), *request.headers)
        ]
        self._streams[stream] = _Stream()
        self._connection.send_headers(stream, headers, end_stream=end)
        self._send()
        return stream

    def push(self, stream: int, data: bytes, *, end: bool = False) -> None:
        """Send a part of the request's body, as soon as the gateway takes it."""
        while self._connection.local_flow_control_window(stream) < len(data) and not self.terminated:
            self._receive()
        self._connection.send_data(stream, data, end_stream=end)
        self._send()

    def read(self, stream: int) -> RawResponse:
        """The response; its status is 0 if the stream was reset before it began."""
        found = self._streams[stream]
        while not found.ended and found.reset is None and not self.terminated:
            self._receive()
        status = int(dict(found.headers).get(":status", 0))
        return RawResponse(status, tuple(one for one in found.headers if one[0] != ":status"), found.body)

    def _receive(self) -> None:
        received = self._socket.recv(65536)
        if not received:
            self.terminated = True
        for event in self._connection.receive_data(received):
            self._handle(event)
        self._send()

    def _handle(self, event: Event) -> None:
        match event:
            case ResponseReceived(stream_id=int(stream), headers=list(lines)):
                self._streams[stream].headers = tuple(_decoded(lines))
            case DataReceived(stream_id=int(stream), data=bytes(data)):
                self._streams[stream].body += data
                self._connection.acknowledge_received_data(event.flow_controlled_length, stream)
            case StreamEnded(stream_id=int(stream)):
                self._streams[stream].ended = True
            case StreamReset(stream_id=int(stream)):
                self._streams[stream].reset = int(event.error_code or 0)
            case ConnectionTerminated():
                self.terminated = True
            case _:
                pass

    def _send(self) -> None:
        self._socket.sendall(self._connection.data_to_send())


@contextmanager
def http2(
    port: int, tls: ssl.SSLContext | None = None, *, source: str = "127.0.0.1", timeout: float = 20.0
) -> Iterator[Http2]:
    """A connection with prior knowledge to a port of this machine, from an address; see `connected`."""
    configuration = H2Configuration(
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
        validate_inbound_headers=False,
        header_encoding=None,
    )
    connection = H2Connection(configuration)
    connection.initiate_connection()
    with connected(port, tls, source=source, timeout=timeout) as opened:
        yield Http2(opened, connection)


def _decoded(lines: Iterable[tuple[bytes | str, bytes | str]]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, value = (part if isinstance(part, str) else part.decode("latin-1") for part in line)
        yield name, value
