"""A native service whose answers and uploads take longer than the time limits of an API."""

from __future__ import annotations

import contextlib
import socket
import time

from tests.live.edge.test_websocket import UPGRADED

PIECES = 15
PAUSE = 0.1
"""Seconds between two pieces: in all, longer than ``BEGIN`` and ``SHORT_IDLE``; each, far below ``IDLE``."""
BEGIN = 0.7
IDLE = 20.0
SHORT_IDLE = 0.9

EVENT = b"data: tick\n\n"
_OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
_PLAIN = _OK + b"Content-Length: 2\r\n\r\nok"


def converse(connection: socket.socket, head: bytes) -> None:
    """What the first segment of the path says, until the gateway closes the connection."""
    target = head.split(b" ")[1].decode()
    match target.split("/")[1]:
        case "events":
            connection.sendall(_OK + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(PIECES):
                connection.sendall(b"%x\r\n%b\r\n" % (len(EVENT), EVENT))
                time.sleep(PAUSE)
            connection.sendall(b"0\r\n\r\n")
        case "download":
            connection.sendall(_OK + b"Content-Length: %d\r\n\r\n" % (PIECES * 1000))
            for _ in range(PIECES):
                connection.sendall(b"x" * 1000)
                time.sleep(PAUSE)
        case "upload":
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            while length > 0 and (received := connection.recv(min(length, 65536))):
                length -= len(received)
            connection.sendall(_PLAIN)
        case "gap":
            connection.sendall(_OK + b"Content-Length: 10\r\n\r\nfirst")
            _until_closed(connection)
        case "delayed":
            time.sleep(2 * SHORT_IDLE)
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
