"""Requests without a pause: ``python -m tests.acceptance.restart_load PORT KIND``, until standard input ends.

Prints one line of JSON: how many requests had a response, and the failures by kind. ``new`` opens a
connection for each request; ``kept`` and ``http2`` keep one until the gateway closes it.
"""

from __future__ import annotations

import json
import select
import socket
import sys
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, StreamEnded, StreamReset

PATH: Final = "/gateway/pets/1"
ORIGIN: Final = "https://app.example"
_HEAD: Final = (
    f"OPTIONS {PATH} HTTP/1.1\r\nHost: gateway.test\r\nOrigin: {ORIGIN}\r\n"
    "Access-Control-Request-Method: PUT\r\n"
)
_NEW: Final = f"{_HEAD}Connection: close\r\n\r\n".encode()
_KEPT: Final = f"{_HEAD}\r\n".encode()
_ADDRESSES: Final = count()


def _connect(port: int) -> socket.socket:
    opened = socket.socket()
    opened.settimeout(60)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Addresses of this machine in turn: one has too few ports.
    number = next(_ADDRESSES)
    opened.bind((f"127.0.{number // 200 % 200}.{number % 200 + 1}", 0))
    opened.connect(("127.0.0.1", port))
    return opened


def new(port: int) -> int:
    """One request over a connection of its own."""
    with _connect(port) as opened:
        opened.sendall(_NEW)
        received = b""
        while data := opened.recv(65536):
            received += data
    if not received.startswith(b"HTTP/1.1 200 ") or not received.endswith(b"\r\n\r\n"):
        raise EOFError(received[:40].decode("latin-1"))
    return 1


def kept(port: int) -> int:
    """Requests over one connection until the gateway closes it, or a thousand."""
    done = 0
    with _connect(port) as opened:
        while done < 1000:
            opened.sendall(_KEPT)
            received = b""
            while not received.endswith(b"\r\n\r\n"):
                data = opened.recv(65536)
                if not data:
                    raise EOFError(f"after {done} responses")
                received += data
            if not received.startswith(b"HTTP/1.1 200 "):
                raise EOFError(received[:40].decode("latin-1"))
            done += 1
            if b"\r\nconnection: close" in received.lower():
                break
    return done


def http2(port: int) -> int:
    """Requests over one HTTP/2 connection until the gateway ends it, or a thousand."""
    headers = [
        (":method", "OPTIONS"),
        (":scheme", "http"),
        (":authority", "gateway.test"),
        (":path", PATH),
        ("origin", ORIGIN),
        ("access-control-request-method", "PUT"),
    ]
    connection = H2Connection(H2Configuration())
    connection.initiate_connection()
    done, going = 0, False
    with _connect(port) as opened:
        while done < 1000 and not going:
            stream = connection.get_next_available_stream_id()
            connection.send_headers(stream, headers, end_stream=True)
            opened.sendall(connection.data_to_send())
            ended = False
            while not ended:
                data = opened.recv(65536)
                if not data:
                    raise EOFError(f"after {done} streams")
                for event in connection.receive_data(data):
                    if isinstance(event, StreamReset):
                        raise ConnectionResetError(f"stream reset: {event.error_code}")
                    going |= isinstance(event, ConnectionTerminated)
                    ended |= isinstance(event, StreamEnded)
                if not going:
                    opened.sendall(connection.data_to_send())
            done += 1
    return done


_KINDS: Final[dict[str, Callable[[int], int]]] = {"new": new, "kept": kept, "http2": http2}


def main(port: int, kind: str) -> None:
    """Send requests until standard input ends."""
    responses, failures = 0, Counter[str]()
    while not select.select([sys.stdin], [], [], 0)[0]:
        try:
            responses += _KINDS[kind](port)
        except OSError as error:
            failures[type(error).__name__] += 1
        except EOFError as error:
            failures[f"incomplete: {error}"] += 1
    print(json.dumps({"responses": responses, "failures": failures}))  # noqa: T201 - read by the test


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
