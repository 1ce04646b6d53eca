"""Signing in with a token or a one-time link, signing out, and what scripts ask about the session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crossgate.console.api import CallApi
from crossgate.console.csrf import comes_from_the_console
from crossgate.console.form_body import FormRefusedError, has_short_body, read_fields
from crossgate.console.page import Page, page, theme_of
from crossgate.console.render import render
from crossgate.console.sign_in import (
    SESSION,
    SIGN_IN,
    SIGN_OUT,
    SIGNED_IN,
    SessionOpener,
    clear_cookie,
    local_path,
    secret_of,
    session_or_none,
    set_cookie,
)
from crossgate.diagnostics import Diagnostic
from crossgate.service.errors import SignInRefused
from crossgate.service.permission import Role
from crossgate.service.sessions import Sessions
from crossgate.service.tokens import Token

_LONGEST: Final = 8 * 1024
"""Bytes of the form, which strangers send."""
_NOT_FROM_HERE: Final = Diagnostic(
    "sign-in-foreign",
    "the sign-in was not sent by this page",
    "Sign in here",
)


async def show_sign_in(request: Request) -> Response:
    """The form for a token; a script of it posts the secret of a link."""
    return await _form(request, request.query_params.get("next", ""))


async def sign_in(request: Request) -> Response:
    """Open a session, and go on to the page that was opened first."""
    headers = request.headers
    if not comes_from_the_console(headers) or not has_short_body(headers, _LONGEST):
        return await _form(request, "", [_NOT_FROM_HERE], HTTPStatus.FORBIDDEN)
    try:
        fields = dict(await read_fields(request))
    except FormRefusedError:
        return await _form(request, "", [_NOT_FROM_HERE], HTTPStatus.FORBIDDEN)
    opener: SessionOpener = request.app.state.sign_ins
    address = request.client.host if request.client is not None else "unknown"
    agent = headers.get("user-agent", "")
    once = fields.get("once", "").strip()
    try:
        if once:
            secret, _ = await opener.by_link(once, address, agent)
        else:
            secret, _ = await opener.by_token(fields.get("token", "").strip(), address, agent)
    except SignInRefused as refused:
        status = HTTPStatus(refused.status)
        return await _form(request, fields.get("next", ""), refused.diagnostics, status, at_field=not once)
    await _end_session(request)
    response = RedirectResponse(local_path(fields.get("next", "")), HTTPStatus.SEE_OTHER)
    set_cookie(response, request, secret)
    return response


async def sign_out(found: Page) -> Response:
    """End the session."""
    await _end_session(found.request)
    response = found.redirect(SIGN_IN)
    clear_cookie(response, found.request)
    return response


async def show_signed_in(found: Page) -> Response:
    """What a sign-in in a new tab ends with."""
    return found.fragment("signed_in.html", title="Signed in")


async def read_session(request: Request) -> Response:
    """The session's name and form token, for scripts of a page that may be older than the session."""
    session = session_or_none(request)
    if session is None:
        return JSONResponse({}, HTTPStatus.UNAUTHORIZED)
    return JSONResponse({"name": session.caller.name, "csrf": session.csrf})


async def _end_session(request: Request) -> None:
    session = session_or_none(request)
    sessions: Sessions = request.app.state.sessions
    if session is not None and secret_of(request):
        await run_in_threadpool(sessions.end, session.id)


async def _form(
    request: Request,
    target: str,
    problems: Sequence[Diagnostic] = (),
    status: HTTPStatus = HTTPStatus.OK,
    *,
    at_field: bool = False,
) -> Response:
    session = session_or_none(request)
    values = {
        "title": "Sign in",
        "theme": theme_of(request),
        "gateway": await _gateway_name(request),
        "origin": f"{request.url.scheme}://{request.url.netloc}",
        "next": local_path(target),
        "problems": problems,
        "at_field": at_field,
        "signed_in": None if session is None else session.caller.name,
        "company_sign_in": request.app.state.company_sign_in,
        "company_label": request.app.state.company_label,
        # A person opened the link: no page did. https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
        "automatic": request.headers.get("sec-fetch-site") == "none" and session is None,
    }
    return HTMLResponse(render("sign_in.html", values), status)


async def _gateway_name(request: Request) -> str:
    """Which gateway it is: its first public origin, or where it listens."""
    call_api: CallApi = request.app.state.call_api
    gateway = await call_api(Token("sign-in", Role.VIEWER, datetime.now(UTC))).get("/v1/gateway")
    origins = sorted(gateway.get("public_origins", ()))
    return str(origins[0].partition("://")[2] if origins else gateway.get("listen", ""))


routes: Final[list[BaseRoute]] = [
    Route(SIGN_IN, show_sign_in, methods=["GET"]),
    Route(SIGN_IN, sign_in, methods=["POST"]),
    Route(SESSION, read_session, methods=["GET"]),
    page(SIGNED_IN, show_signed_in),
    page(SIGN_OUT, sign_out, methods=("POST",)),
]
