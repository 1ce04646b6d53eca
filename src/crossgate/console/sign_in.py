"""Who is signed in: the session behind a browser's cookie, and what browsers without one get."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import State
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from crossgate.console.csrf import (
    NOT_REPEATED,
    SESSION_HEADER,
    comes_from_the_console,
)
from crossgate.console.form_body import Fields, FormRefusedError, has_short_body, read_fields
from crossgate.console.render import render
from crossgate.console.sent_values import local_url
from crossgate.service.sessions import LIFETIME, Session, Sessions

COOKIE: Final = "crossgate-session"
SECURE_COOKIE: Final = f"__Host-{COOKIE}"
"""Over https. A neighbouring host name cannot set it.
https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes"""
SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"
SIGNED_IN: Final = "/signed-in"
SESSION: Final = "/session"
EVENTS: Final = "/events"
_SESSION: Final = "crossgate_session"
_ASSETS: Final = "/assets/"
_LONGEST_KEPT: Final = 1024 * 1024
"""Bytes of a form that is shown again to a browser whose session has ended."""
_MOST_KEPT: Final = 5_000
"""Fields of it: the sender is not known."""


class SessionOpener(Protocol):
    """Opens sessions; raises :class:`~crossgate.service.errors.SignInRefused`."""

    async def by_token(self, secret: str, address: str, user_agent: str) -> tuple[str, Session]:
        """The cookie's secret, and the session of the token."""
        ...

    async def by_link(self, secret: str, address: str, user_agent: str) -> tuple[str, Session]:
        """The cookie's secret, and the session that the link opens."""
        ...


class SignedIn:
    """ASGI middleware that lets signed-in browsers through, and sends others to the sign-in page."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request with its session, or answer it."""
        if scope["path"].startswith(_ASSETS):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        session = await run_in_threadpool(self._find, request)
        scope.setdefault("state", {})[_SESSION] = session
        path = scope["path"]
        is_open = path in (SIGN_IN, SESSION) or path.startswith(f"{SIGN_IN}/")
        if session is None and not is_open:
            response = await _sign_in_first(request)
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _find(self, request: Request) -> Session | None:
        secret = secret_of(request)
        # What an open page reads by itself does not count as a use. It opens the stream again by itself too,
        # and EventSource sends no header of ours.
        by_itself = "x-live" in request.headers or request.url.path == EVENTS
        return self._sessions.find(secret, records_use=not by_itself) if secret else None


async def _sign_in_first(request: Request) -> Response:
    headers = {SESSION_HEADER: "ended"}
    is_page = request.headers.get("hx-request") != "true"
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method in ("GET", "HEAD") and is_page:
        if request.headers.get("accept", "") == "text/event-stream":
            return Response(status_code=HTTPStatus.UNAUTHORIZED, headers=headers)
        return RedirectResponse(f"{SIGN_IN}?next={quote(target, safe='')}", HTTPStatus.SEE_OTHER, headers)
    fields: Fields = []
    keeps = comes_from_the_console(request.headers) and has_short_body(request.headers, _LONGEST_KEPT)
    if is_page and keeps:
        with suppress(FormRefusedError):
            fields = [one for one in await read_fields(request) if one[0] not in NOT_REPEATED]
    values = {
        "title": "Your session has ended",
        "theme": "",
        "fields": fields if len(fields) <= _MOST_KEPT else [],
        "url": local_url(target, "/"),
    }
    return HTMLResponse(render("session_ended.html", values), HTTPStatus.UNAUTHORIZED, headers)


def session_of(request: Request) -> Session:
    """The session of a signed-in browser."""
    state: State = request.state
    session: Session = getattr(state, _SESSION)
    return session


def session_or_none(request: Request) -> Session | None:
    """The session, on paths that need none."""
    session: Session | None = getattr(request.state, _SESSION, None)
    return session


def secret_of(request: Request) -> str:
    """The secret in the browser's cookie; empty without one."""
    return request.cookies.get(SECURE_COOKIE) or request.cookies.get(COOKIE) or ""


def set_cookie(response: Response, request: Request, secret: str, *, secure: bool = False) -> None:
    """Store the secret in the browser: for this host, not for scripts or requests of other sites.

    ``secure``: the browser is known to use https.
    """
    secure = secure or _is_https(request)
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        secret,
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def clear_cookie(response: Response, request: Request) -> None:
    """Remove the secret from the browser."""
    for name in (COOKIE, SECURE_COOKIE):
        if name in request.cookies:
            response.delete_cookie(name, secure=name == SECURE_COOKIE, httponly=True, samesite="strict")


def local_path(target: str) -> str:
    """Where a sign-in leads: the target if it is a page of the console, otherwise the overview."""
    return "/" if target.startswith((SIGN_IN, SIGN_OUT)) else local_url(target, "/")


def _is_https(request: Request) -> bool:
    # Behind a proxy with TLS, only the browser knows; it sends `Origin` with every sign-in.
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")
