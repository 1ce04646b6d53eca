"""ASGI and WSGI applications that respond as a native service, and calls of such applications."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from tests.visible_result import HeaderLines, NativeResponse

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from crossgate.middleware.asgi_types import AsgiApp, Receive, Scope, Send

REACHED: Final = "X-Reached"
"""A response header of both applications, which shows that they were called."""
BODY: Final = b"native"
Lines = Iterable[tuple[str, str]]


def asgi_native(native: NativeResponse) -> AsgiApp:
    """An ASGI application that responds with ``native``."""
    headers = [(name.encode(), value.encode("latin-1")) for name, value in _headers(native)]

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": native.status, "headers": headers})
        await send({"type": "http.response.body", "body": BODY if _has_body(native) else b""})

    return app


def wsgi_native(native: NativeResponse) -> WSGIApplication:
    """A WSGI application that responds with ``native``."""
    headers = _headers(native)
    phrases = {status.value: status.phrase for status in HTTPStatus}

    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(f"{native.status} {phrases.get(native.status, 'Unknown')}", headers)
        return [BODY] if _has_body(native) else []

    return app


def _headers(native: NativeResponse) -> list[tuple[str, str]]:
    length = [("Content-Length", str(len(BODY)))] if _has_body(native) else []
    return [*length, *native.headers, (REACHED, "yes")]


def _has_body(native: NativeResponse) -> bool:
    return native.status not in (204, 304)


@dataclass(slots=True)
class Called:
    """A completed ASGI call: the messages that were sent, and the exception that was raised."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    raised: Exception | None = None

    @property
    def status(self) -> int:
        """Of the response."""
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Of the response."""
        return [(name.decode(), value.decode("latin-1")) for name, value in self.sent[0]["headers"]]

    @property
    def body(self) -> bytes:
        """Of the response."""
        return b"".join(message["body"] for message in self.sent[1:])

    def all(self, name: str) -> list[str]:
        """The value of every line of a response header."""
        return [value for found, value in self.headers if found.lower() == name.lower()]


def scope_of(method: str, headers: Lines = (), **more: object) -> dict[str, Any]:
    """The scope of an HTTP request."""
    lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return {"type": "http", "method": method, "path": "/", "headers": lines, **more}


def call(app: AsgiApp, scope: Mapping[str, Any]) -> Called:
    """Call an ASGI application with one request, and collect what it sends."""
    return asyncio.run(call_in_loop(app, scope))


async def call_in_loop(app: AsgiApp, scope: Mapping[str, Any]) -> Called:
    """As :func:`call`, in a loop that runs."""
    called = Called()

    async def send(message: Any) -> None:
        called.sent.append(message)

    requests = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not requests:
            await asyncio.Event().wait()  # the client stays connected
        return requests.pop()

    try:
        await app(dict(scope), receive, send)
    except Exception as raised:  # noqa: BLE001 - as a server does
        called.raised = raised
    return called


def environ_of(method: str, lines: HeaderLines) -> dict[str, Any]:
    """The environ of a request as gunicorn builds it: all lines of a header are joined by commas."""
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "wsgi.input": io.BytesIO()}
    for name, value in lines:
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def serve(app: WSGIApplication, environ: dict[str, Any]) -> tuple[int, HeaderLines, bytes]:
    """Call a WSGI application; returns status, headers and body of the response."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None, /) -> Any:
        started.append((status, headers))

    body = b"".join(app(environ, start_response))
    status, headers = started[-1]
    return int(status[:3]), tuple(headers), body
