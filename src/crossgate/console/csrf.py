"""Keeps other sites from writing through a signed-in browser: where a request comes from, and a token in it.

https://owasp.org/www-community/attacks/csrf
"""

from __future__ import annotations

from hmac import compare_digest
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from crossgate.console.form_body import (
    MAX_FORM,
    Fields,
    FormRefusedError,
    has_form,
    has_short_body,
    read_fields,
)
from crossgate.console.render import render

CSRF_FIELD: Final = "csrf"
CSRF_HEADER: Final = "X-CSRF-Token"
PASTED_FIELD: Final = "pasted"
"""What is pasted can hold secrets: no page repeats it."""
NOT_REPEATED: Final = frozenset({CSRF_FIELD, PASTED_FIELD})
SESSION_HEADER: Final = "Crossgate-Session"
"""Why a request was refused: `ended`, `another-session`, `another-site` or `too-large`; for js/session.js."""
_STATUS: Final = {"too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "another-site": HTTPStatus.FORBIDDEN}
_SAFE: Final = frozenset({"GET", "HEAD"})


def comes_from_the_console(headers: Headers) -> bool:
    """Whether a browser says that one of the console's pages sent the request.

    A foreign ``Origin`` was refused before (`admin/host_guard.py`); a script can set neither header.
    https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
    """
    site = headers.get("sec-fetch-site")
    return site == "same-origin" if site is not None else "origin" in headers


async def refuse_forged_write(request: Request, csrf: str, max_form: int = MAX_FORM) -> Response | None:
    """The response to a write that none of this session's pages has sent; None for all others."""
    if request.method in _SAFE:
        return None
    if not comes_from_the_console(request.headers):
        return _refusal(request, HTTPStatus.FORBIDDEN, "another-site")
    if not has_short_body(request.headers, max_form):
        return _refusal(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large")
    sent = request.headers.get(CSRF_HEADER, "")
    fields: Fields = []
    if has_form(request.headers):
        try:
            fields = await read_fields(request)
        except FormRefusedError as refused:
            return _refusal(request, _STATUS[refused.reason], refused.reason)
        sent = sent or dict(fields).get(CSRF_FIELD, "")
    if compare_digest(sent.encode(), csrf.encode()):
        return None
    # A page of an earlier session of this browser: what was typed is sent again on a click.
    kept = [(name, value) for name, value in fields if name not in NOT_REPEATED]
    return _refusal(request, HTTPStatus.FORBIDDEN, "another-session", kept, csrf)


def _refusal(
    request: Request,
    status: HTTPStatus,
    reason: str,
    fields: Fields | None = None,
    csrf: str = "",
) -> Response:
    url = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    values = {"title": "Not sent", "theme": "", "reason": reason, "fields": fields or [], "url": url}
    content = render("not_sent.html", {**values, "csrf": csrf, "csrf_name": CSRF_FIELD})
    return HTMLResponse(content, status, {SESSION_HEADER: reason})
