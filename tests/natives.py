"""A native service that answers as it is told to, for tests: odd statuses, headers, delays, hang-ups.

The path says what to do (whatever precedes is the base path the gateway rewrote to):

    …/status/503           that status, with a plain body
    …/headers              the received header lines as JSON, a list of pairs
    …/echo                 the received body
    …/bytes/1000           that many bytes
    …/slow?seconds=1.5     an answer only then, or when the service stops
    …/reset                no answer: the connection is closed
    …/truncated            fewer bytes than Content-Length promises
    …/cors                 ``ok`` with CORS headers of its own, as the parameter ``cors`` adds them
    anything else          200 and ``ok``

Every parameter ``header=Name:value`` of the query adds a response header, with ``cors`` a set of
``Access-Control-*`` headers of the native service's own, with ``vary=…`` a ``Vary`` line.
"""

from __future__ import annotations

import json
import threading

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
_TRUNCATED = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this"


class OddNative(Service):
    """The odd service; stopping it ends every ``/slow`` answer at once."""

    def __init__(self, port: int = 0) -> None:
        self._stopping = threading.Event()
        super().__init__("odd", self._answer, port)

    def stop(self) -> None:
        self._stopping.set()
        super().stop()

    def _answer(self, request: Request) -> Answer:
        headers = _headers_asked_for(request)
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


def _headers_asked_for(request: Request) -> Headers:
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
