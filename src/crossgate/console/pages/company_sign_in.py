"""Sign-in with a company's provider: to the provider, and back with a code.

The session's cookie is Strict, so no request that the provider begins carries it. Between leaving and coming
back, a Lax cookie of its own keeps what the answer must match; then a page of the console leads on, as a
same-site step.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crossgate.console.page import theme_of
from crossgate.console.render import render
from crossgate.console.sign_in import local_path, set_cookie
from crossgate.service.ports import utc_now
from crossgate.service.sessions import Sessions, SignInMethod

if TYPE_CHECKING:
    from crossgate.console.oidc.provider import Attempt, Provider

START: Final = "/sign-in/company"
_COOKIE: Final = "crossgate-company"
_KEPT: Final = 600
"""Seconds that a person has to sign in at the provider."""


async def start(request: Request) -> Response:
    """Send the browser to the provider."""
    from crossgate.console.oidc.failure import SignInFailedError
    from crossgate.console.oidc.provider import Attempt

    provider = _provider(request)
    if provider is None:
        return RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    attempt = Attempt(
        secrets.token_urlsafe(24),
        secrets.token_urlsafe(24),
        secrets.token_urlsafe(48),
        local_path(request.query_params.get("next", "/")),
    )
    try:
        url = await provider.authorization_url(attempt)
    except SignInFailedError as failed:
        return _show_failure(request, failed)
    response = RedirectResponse(url, HTTPStatus.SEE_OTHER)
    response.set_cookie(
        _COOKIE,
        _packed(attempt),
        max_age=_KEPT,
        path=START,
        secure=provider.options.secure,
        httponly=True,
        samesite="lax",
    )
    return response


async def come_back(request: Request) -> Response:
    """Open a session for the person that the provider names."""
    from crossgate.console.oidc.failure import SignInFailedError
    from crossgate.console.oidc.person import caller_of

    provider = _provider(request)
    if provider is None:
        return RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    try:
        attempt = _answered(request, provider)
        claims = await provider.claims(request.query_params["code"], attempt)
        caller = caller_of(claims, provider.options, utc_now())
    except SignInFailedError as failed:
        response = _show_failure(request, failed)
    else:
        sessions: Sessions = request.app.state.sessions
        secret, _ = await run_in_threadpool(
            sessions.open, caller, SignInMethod.COMPANY, request.headers.get("user-agent", "")
        )
        values = {"title": "Signed in", "theme": theme_of(request), "caller": caller, "next": attempt.next}
        response = HTMLResponse(render("company_done.html", values))
        # Led here by the provider, the browser sends no Origin, which would tell.
        set_cookie(response, request, secret, secure=provider.options.secure)
    response.delete_cookie(_COOKIE, path=START, secure=provider.options.secure, httponly=True, samesite="lax")
    return response


def _answered(request: Request, provider: Provider) -> Attempt:
    """The attempt that the provider's answer belongs to.

    Raises:
        SignInFailedError: it belongs to none of this browser, or reports an error.

    """
    from crossgate.console.oidc.failure import SignInFailedError

    query = request.query_params
    attempt = _unpacked(request.cookies.get(_COOKIE, ""))
    if attempt is None or not hmac.compare_digest(attempt.state.encode(), query.get("state", "").encode()):
        raise SignInFailedError(
            "This answer belongs to no sign-in of this browser",
            f"Begin again. A sign-in takes at most {_KEPT // 60} minutes, in one tab, and ends where it "
            f"began: {provider.options.console_url}",
        )
    # RFC 9207, §2.4: the answer of another provider.
    if query.get("iss", provider.options.issuer) != provider.options.issuer:
        raise SignInFailedError(
            "This answer comes from another provider", "Begin again", found=query.get("iss")
        )
    if "code" not in query:
        words = " ".join(query[key] for key in ("error", "error_description") if key in query)
        raise SignInFailedError(
            "The provider did not sign you in", "Begin again, or sign in with a token", found=words or None
        )
    return attempt


def _provider(request: Request) -> Provider | None:
    found: Provider | None = request.app.state.provider
    return found


def _show_failure(request: Request, failed: object) -> HTMLResponse:
    values = {"title": "Not signed in", "theme": theme_of(request), "failed": failed}
    return HTMLResponse(render("company_failed.html", values), HTTPStatus.FORBIDDEN)


def _packed(attempt: Attempt) -> str:
    listed = [attempt.state, attempt.nonce, attempt.verifier, attempt.next]
    return base64.urlsafe_b64encode(json.dumps(listed).encode()).decode()


def _unpacked(cookie: str) -> Attempt | None:
    from crossgate.console.oidc.provider import Attempt

    try:
        found = json.loads(base64.urlsafe_b64decode(cookie))
    except ValueError:
        return None
    valid = isinstance(found, list) and len(found) == len(Attempt.__slots__)
    if not valid or not all(isinstance(one, str) and one for one in found):
        return None
    return Attempt(found[0], found[1], found[2], local_path(found[3]))


routes: Final[list[BaseRoute]] = [
    Route(START, start, methods=["GET"]),
    Route(f"{START}/callback", come_back, methods=["GET"]),
]
