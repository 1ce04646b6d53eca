"""Who is signed in: the session behind a browser's cookie."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from starlette.datastructures import State
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from crossgate.service.sessions import Session, Sessions

COOKIE: Final = "crossgate-session"
SIGN_IN: Final = "/sign-in"
_SESSION: Final = "crossgate_session"
_OPEN: Final = ("/assets/", SIGN_IN)


class SignedIn:
    """ASGI middleware that lets signed-in browsers through, and sends others to the sign-in page."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request with its session, or redirect."""
        request = Request(scope)
        secret = request.cookies.get(COOKIE)
        session = self._sessions.find(secret) if secret else None
        scope.setdefault("state", {})[_SESSION] = session
        if session is None and not scope["path"].startswith(_OPEN):
            await self._sign_in_first(request)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _sign_in_first(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response("Sign in first", HTTPStatus.UNAUTHORIZED, media_type="text/plain")
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"{SIGN_IN}?next={quote(target, safe='')}", HTTPStatus.SEE_OTHER)


def session_of(request: Request) -> Session:
    """The session of a signed-in browser."""
    state: State = request.state
    session: Session = getattr(state, _SESSION)
    return session
