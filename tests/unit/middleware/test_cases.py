"""Both middlewares do what the case table says, called as a server calls them."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from tests.applications import REACHED, asgi_native, wsgi_native
from tests.case_table import Case, load_cases
from tests.outcome import HeaderLines, Outcome, read_outcome

from crossgate.middleware import CorsMiddleware, WsgiCorsMiddleware


@pytest.mark.parametrize("case", load_cases("asgi"), ids=lambda case: case.id)
def test_asgi(case: Case) -> None:
    app = CorsMiddleware(asgi_native(case.native), case.prepared())
    scope = {
        "type": "http",
        "method": case.request.method,
        "path": "/",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in case.request.headers],
    }
    for _ in range(2):  # once decided, once remembered
        assert case.expect.differences(asyncio.run(_asgi(app, scope))) == []


async def _asgi(app: CorsMiddleware, scope: dict[str, Any]) -> Outcome:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    await app(scope, receive, send)
    start, *parts = sent
    lines = tuple((name.decode(), value.decode("latin-1")) for name, value in start["headers"])
    return _outcome(start["status"], lines, b"".join(part["body"] for part in parts), scope["method"])


@pytest.mark.parametrize("case", load_cases("wsgi"), ids=lambda case: case.id)
def test_wsgi(case: Case) -> None:
    app = WsgiCorsMiddleware(wsgi_native(case.native), case.prepared())
    for _ in range(2):
        assert case.expect.differences(_wsgi(app, case.request.method, case.request.headers)) == []


def _wsgi(app: WsgiCorsMiddleware, method: str, lines: HeaderLines) -> Outcome:
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "wsgi.input": io.BytesIO()}
    for name, value in lines:
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
        started.append((status, headers))

    body = b"".join(app(environ, start_response))
    status, headers = started[-1]
    return _outcome(int(status[:3]), tuple(headers), body, method)


def _outcome(status: int, lines: HeaderLines, body: bytes, method: str) -> Outcome:
    reached = (REACHED, "yes") in lines
    return read_outcome(
        reaches_native=reached,
        status=status,
        headers=lines,
        body=None if reached or method == "HEAD" else body.decode("latin-1"),
    )
