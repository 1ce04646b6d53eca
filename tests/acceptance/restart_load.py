"""Requests without a pause: ``python -m tests.acceptance.restart_load PORT KIND [tls]``.

They end with standard input. Prints one line of JSON: how many requests had a response, and the failures by
kind. ``new`` opens a connection for each request; ``kept`` and ``http2`` keep one for as long as they can.
"""

from __future__ import annotations

import json
import select
import socket
import ssl
import sys
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Final

from hpack import Decoder, Encoder, HeaderTuple
from tests.renewals import untrusting

PATH: Final = "/gateway/pets/1"
ORIGIN: Final = "https://app.example"
_HEAD: Final = (
    f"OPTIONS {PATH} HTTP/1.1\r\nHost: gateway.test\r\nOrigin: {ORIGIN}\r\n"
    "Access-Control-Request-Method: PUT\r\n"
)
_NEW: Final = f"{_HEAD}Connection: close\r\n\r\n".encode()
_KEPT: Final = f"{_HEAD}\r\n".encode()
_LINES: Final = (
    (":method", "OPTIONS"),
    (":scheme", "http"),
    (":authority", "gateway.test"),
    (":path", PATH),
    ("origin", ORIGIN),
    ("access-control-request-method", "PUT"),
)
_HEADERS, _RST_STREAM, _SETTINGS, _GOAWAY = 1, 3, 4, 7
_ACK, _END_STREAM, _END_HEADERS = 1, 1, 4
_ADDRESSES: Final = count()


def _connect(port: int, tls: ssl.SSLContext | None) -> socket.socket:
    opened = socket.socket()
    opened.settimeout(60)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Addresses of this machine in turn: one has too few ports.
    number = next(_ADDRESSES)
    opened.bind((f"127.0.{number // 200 % 200}.{number % 200 + 1}", 0))
    opened.connect(("127.0.0.1", port))
    return opened if tls is None else tls.wrap_socket(opened, server_hostname="gateway.test")


def new(port: int, tls: ssl.SSLContext | None) -> int:
    """One request over a connection of its own."""
    with _connect(port, tls) as opened:
        opened.sendall(_NEW)
        received = b""
        while data := opened.recv(65536):
            received += data
    if not received.startswith(b"HTTP/1.1 200 ") or not received.endswith(b"\r\n\r\n"):
        raise EOFError(received[:40].decode("latin-1"))
    return 1


def kept(port: int, tls: ssl.SSLContext | None) -> int:
    """Requests over one connection until the gateway closes it, or a thousand."""
    done = 0
    with _connect(port, tls) as opened:
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


def http2(port: int, tls: ssl.SSLContext | None) -> int:
    """Requests over one HTTP/2 connection until the gateway ends it, or a thousand."""
    # Not by h2: it refuses frames behind a GOAWAY, which the last stream still has (RFC 9113, 6.8).
    encoder, decoder = Encoder(), Decoder()
    done, going = 0, False
    with _connect(port, tls) as opened, opened.makefile("rb") as frames:
        opened.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS, 0, 0))
        while done < 1000 and not going:
            opened.sendall(_frame(_HEADERS, _END_STREAM | _END_HEADERS, 2 * done + 1, encoder.encode(_LINES)))
            ended = False
            while not ended:
                head = frames.read(9)
                if len(head) < 9:
                    raise EOFError(f"after {done} streams")
                length, kind, flags, stream = (
                    int.from_bytes(head[:3]),
                    head[3],
                    head[4],
                    int.from_bytes(head[5:]),
                )
                payload = frames.read(length)
                if kind == _HEADERS:
                    if HeaderTuple(":status", "200") not in list(decoder.decode(payload)):
                        raise EOFError("the status is not 200")
                    ended = stream == 2 * done + 1 and bool(flags & _END_STREAM)
                elif kind == _RST_STREAM:
                    raise ConnectionResetError("stream")
                elif kind == _SETTINGS and not flags & _ACK:
                    opened.sendall(_frame(_SETTINGS, _ACK, 0))
                going |= kind == _GOAWAY
            done += 1
    return done


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


_KINDS: Final[dict[str, Callable[[int, ssl.SSLContext | None], int]]] = {
    "new": new,
    "kept": kept,
    "http2": http2,
}


def main(port: int, kind: str, *, tls: bool) -> None:
    """Send requests until standard input ends."""
    context = untrusting("h2" if kind == "http2" else "http/1.1") if tls else None
    responses, failures = 0, Counter[str]()
    while not select.select([sys.stdin], [], [], 0)[0]:
        try:
            responses += _KINDS[kind](port, context)
        except OSError as error:
            failures[type(error).__name__] += 1
        except EOFError as error:
            failures[f"incomplete: {error}"] += 1
    print(json.dumps({"responses": responses, "failures": failures}))  # noqa: T201 - read by the test


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], tls=sys.argv[3:] == ["tls"])
