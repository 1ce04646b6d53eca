"""Answers `/live`, `/ready` and `/metrics`, without tokens.

Imported only when clients are served. Responses name APIs, so a page that a browser shows must not read them:
the header Host is checked as in the admin API. A request without one is accepted: browsers always send it.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

from crossgate.admin.early_response import EarlyResponse
from crossgate.app.health import Health, Metrics
from crossgate.app.health_state import HealthReason
from crossgate.app.http_connections import ConnectionLimits
from crossgate.app.http_server import serve_http
from crossgate.net.address import HostPort
from crossgate.net.host_header import names_this_server
from crossgate.service.log import Log

_LIMITS: Final = ConnectionLimits(total=128, per_address=64)
_METRICS_AT_ONCE: Final = 4
"""Pages that are rendered or sent: each may be megabytes, and a client may read slowly."""
_PIECE: Final = 64 * 1024
_METHODS: Final = ("GET", "HEAD")
_JSON: Final = "application/json"
_PROBLEM: Final = "application/problem+json"


@asynccontextmanager
async def serve_health(bound: socket.socket, health: Health) -> AsyncIterator[HostPort]:
    """Answer on a bound socket for as long as the context lasts."""
    host, port = bound.getsockname()[:2]
    async with serve_http(bound, EarlyResponse(HealthApp(health)), EarlyResponse(_respond_busy), _LIMITS):
        yield HostPort(host, port)


class HealthApp:
    """The ASGI application."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._host_names = frozenset(name.lower() for name in health.host_names)
        self._rendering = 0
        self._log = Log("health")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        del receive
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        hosts = [value for name, value in headers if name == "host"]
        path = unquote(scope["raw_path"].decode("latin-1"))
        if len(hosts) > 1 or not all(names_this_server(host, self._host_names) for host in hosts):
            await _HOST_REJECTED(send)
        elif path not in ("/live", "/ready", "/metrics") or (path == "/metrics" and not self._health.metrics):
            await _NOT_FOUND(send)
        elif scope["method"] not in _METHODS:
            await _METHOD_REFUSED(send)
        elif path == "/live":
            await _respond(send, HTTPStatus.OK, _JSON, {"status": "live"})
        elif path == "/ready":
            await self._ready(send)
        elif self._health.metrics is not None:
            await self._metrics(self._health.metrics, scope["query_string"].decode("latin-1"), headers, send)

    async def _ready(self, send: Any) -> None:
        state = self._health.state
        reasons = await state.reasons()
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        body = {
            "status": "unready" if reasons else "ready",
            "reasons": _listed(reasons),
            "warnings": _listed(state.current_warnings()),
        }
        await _respond(send, status, _JSON, body)

    async def _metrics(
        self, render: Metrics, query: str, headers: Sequence[tuple[str, str]], send: Any
    ) -> None:
        if self._rendering >= _METRICS_AT_ONCE:
            await _METRICS_BUSY(send)
            return
        accept, encoding = (_joined(headers, name) for name in ("accept", "accept-encoding"))
        self._rendering += 1
        try:
            content_type, extra, body = await asyncio.to_thread(render, query, accept, encoding)
            await _respond(send, HTTPStatus.OK, content_type, body, extra)
        except ValueError as error:
            await _problem(send, HTTPStatus.BAD_REQUEST, "parameter-invalid", str(error))
        except Exception:  # noqa: BLE001 - a collector failed; the other pages work
            self._log.exception("The metrics cannot be rendered")
            await _FAILED(send)
        finally:
            self._rendering -= 1


def _listed(reasons: Sequence[HealthReason]) -> list[dict[str, str]]:
    return [{"code": reason.code, "message": reason.message} for reason in reasons]


def _joined(headers: Sequence[tuple[str, str]], wanted: str) -> str:
    return ", ".join(value for name, value in headers if name == wanted)


async def _respond(
    send: Any,
    status: HTTPStatus,
    content_type: str,
    body: bytes | Mapping[str, object],
    headers: Mapping[str, str] | None = None,
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode() + b"\n"
    all_headers = {
        "Content-Type": content_type,
        "Content-Length": str(len(content)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        **(headers or {}),
    }
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in all_headers.items()]
    await send({"type": "http.response.start", "status": status.value, "headers": encoded})
    # In pieces: uvicorn waits for a client that does not read before a piece, and not after the last one.
    for begin in range(0, len(content), _PIECE):
        await send({"type": "http.response.body", "body": content[begin : begin + _PIECE], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _problem(
    send: Any, status: HTTPStatus, code: str, message: str, headers: Mapping[str, str] | None = None
) -> None:
    """Problem Details (RFC 9457), as in the admin API."""
    body = {"type": f"urn:crossgate:problem:{code}", "title": message, "status": status.value}
    await _respond(send, status, _PROBLEM, body, headers)


class _Problem:
    """A response that is always the same."""

    def __init__(
        self, status: HTTPStatus, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self._arguments = (status, code, message, headers)

    async def __call__(self, send: Any) -> None:
        await _problem(send, *self._arguments)


_HOST_REJECTED: Final = _Problem(
    HTTPStatus.MISDIRECTED_REQUEST,
    "foreign-host",
    "the Host header is not an address, localhost or a name of --health-host",
)
_NOT_FOUND: Final = _Problem(HTTPStatus.NOT_FOUND, "not-found", "the paths are /live, /ready and /metrics")
_METHOD_REFUSED: Final = _Problem(
    HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", "use GET or HEAD", {"Allow": ", ".join(_METHODS)}
)
_METRICS_BUSY: Final = _Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "metrics-busy",
    "too many clients read the metrics at the same time",
    {"Retry-After": "5"},
)
_FAILED: Final = _Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", "the page failed: see the gateway's log"
)
_BUSY: Final = _Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "health-busy",
    "too many requests at the same time",
    {"Retry-After": "5", "Connection": "close"},
)


async def _respond_busy(_scope: Any, _receive: Any, send: Any) -> None:
    await _BUSY(send)
