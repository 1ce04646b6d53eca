"""ASGI and WSGI applications that answer as a case's native service does, and say that they were reached."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from tests.outcome import Native

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from crossgate.middleware.asgi import AsgiApp, Receive, Scope, Send

REACHED: Final = "X-Reached"
BODY: Final = b"native"


def asgi_native(native: Native) -> AsgiApp:
    """An ASGI application that answers every request with ``native``."""
    headers = [(name.encode(), value.encode("latin-1")) for name, value in _headers(native)]

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": native.status, "headers": headers})
        await send({"type": "http.response.body", "body": BODY if _has_body(native) else b""})

    return app


def wsgi_native(native: Native) -> WSGIApplication:
    """A WSGI application that answers every request with ``native``."""
    headers = _headers(native)
    phrases = {status.value: status.phrase for status in HTTPStatus}

    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(f"{native.status} {phrases.get(native.status, 'Unknown')}", headers)
        return [BODY] if _has_body(native) else []

    return app


def _headers(native: Native) -> list[tuple[str, str]]:
    length = [("Content-Length", str(len(BODY)))] if _has_body(native) else []
    return [*length, *native.headers, (REACHED, "yes")]


def _has_body(native: Native) -> bool:
    return native.status not in (204, 304)
