"""Calls a WSGI application as a server does, and keeps what it answers."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from tests.outcome import HeaderLines

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


def environ_of(method: str, lines: HeaderLines) -> dict[str, Any]:
    """A request as gunicorn hands it over: a header's lines are joined by commas, empty ones too."""
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "wsgi.input": io.BytesIO()}
    for name, value in lines:
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def serve(app: WSGIApplication, environ: dict[str, Any]) -> tuple[int, HeaderLines, bytes]:
    """The answer's status, headers and body."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None, /) -> Any:
        started.append((status, headers))

    body = b"".join(app(environ, start_response))
    status, headers = started[-1]
    return int(status[:3]), tuple(headers), body
