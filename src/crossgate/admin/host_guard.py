"""The outermost layer of the admin API: protection against DNS rebinding, and responses to failures."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from html import escape
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crossgate.admin.errors import Problem
from crossgate.admin.path_names import decode_path
from crossgate.diagnostics import Diagnostic
from crossgate.lint.rule import Finding
from crossgate.net.host_header import names_this_server
from crossgate.service.log import Log


class HostGuard:
    """ASGI middleware that forwards requests whose Host and Origin are the API's own."""

    def __init__(self, app: ASGIApp, host_names: Collection[str] = ()) -> None:
        """``host_names`` are accepted besides localhost and addresses."""
        self._app = app
        self._host_names = frozenset(name.lower() for name in host_names)
        self._log = Log("admin")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, its path decoded; or answer it with a problem."""
        if scope["type"] != "http":
            return
        problem = self._check(Headers(scope=scope))
        if problem is not None:
            accepted = Headers(scope=scope).get("accept", "")
            response = _page(problem) if "text/html" in accepted else problem.response()
            await response(scope, receive, send)
            return
        path = decode_path(scope["raw_path"])
        if path is None:
            await _PATH_MALFORMED.response()(scope, receive, send)
            return
        await self._forward({**scope, "path": path}, receive, send)

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except ClientDisconnect:
            # Nobody reads a response, and nothing was changed: routes read the body first.
            return
        except Exception:
            self._log.exception("The admin API failed", method=scope["method"], path=scope["path"])
            if started:
                raise
            await _INTERNAL_ERROR.response()(scope, receive, send)
        except asyncio.CancelledError:
            # The server cancels requests only at shutdown, once its grace period is over.
            if started:
                raise
            await _SHUTTING_DOWN.response()(scope, receive, send)

    def _check(self, headers: Headers) -> Problem | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not names_this_server(hosts[0], self._host_names):
            return _HOST_REJECTED
        own_origins = {f"http://{hosts[0].lower()}", f"https://{hosts[0].lower()}"}
        if any(origin.lower() not in own_origins for origin in headers.getlist("origin")):
            return _ORIGIN_REJECTED
        return None


def _problem(status: HTTPStatus, code: str, message: str, remedy: str) -> Problem:
    return Problem(status, [Diagnostic(code, message, remedy)])


def _page(problem: Problem) -> Response:
    """The problem for people, without anything that was sent: the console itself is not for this name."""
    words = [one.diagnostic if isinstance(one, Finding) else one for one in problem.diagnostics]
    paragraphs = "".join(
        f"<p>{escape(one.message[:1].upper() + one.message[1:])}. {escape(one.remedy)}.</p>" for one in words
    )
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Crossgate</title>'
        f"<h1>{problem.status.value} {problem.status.phrase}</h1>{paragraphs}</html>",
        problem.status,
        {
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )


_HOST_REJECTED: Final = _problem(
    HTTPStatus.MISDIRECTED_REQUEST,
    "foreign-host",
    "the Host header does not name the admin API",
    "Use its address or localhost, or start the gateway with --admin-host",
)
_ORIGIN_REJECTED: Final = _problem(
    HTTPStatus.FORBIDDEN,
    "foreign-origin",
    "requests from pages of other origins are not allowed",
    "Call the admin API from a server, not from a browser",
)
_PATH_MALFORMED: Final = _problem(
    HTTPStatus.BAD_REQUEST,
    "path-malformed",
    "the path is not UTF-8 or contains NUL",
    "Percent-encode names as UTF-8",
)
_INTERNAL_ERROR: Final = _problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal-error",
    "the admin API failed",
    "See the gateway's log for the cause",
)
_SHUTTING_DOWN: Final = _problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "stopping",
    "shutting down; the request may have been applied",
    "Check whether it was applied before retrying",
)
