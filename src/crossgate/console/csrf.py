"""Keeps other sites from writing through a signed-in browser: where a request comes from, and a token in it.

https://owasp.org/www-community/attacks/csrf
"""

from __future__ import annotations

from hmac import compare_digest
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from crossgate.console.render import render

CSRF_FIELD: Final = "csrf"
CSRF_HEADER: Final = "X-CSRF-Token"
PASTED_FIELD: Final = "pasted"
"""What is pasted can hold secrets: no page repeats it."""
NOT_REPEATED: Final = frozenset({CSRF_FIELD, PASTED_FIELD})
SESSION_HEADER: Final = "Crossgate-Session"
"""Why a request was refused: `ended`, `another-session`, `another-site` or `too-large`; for js/session.js."""
MAX_FORM: Final = 48 * 1024 * 1024
"""Bytes: a document of 16 MiB, of which each byte may be percent-encoded."""
_URL_ENCODED: Final = "application/x-www-form-urlencoded"
_SAFE: Final = frozenset({"GET", "HEAD"})


def form_fields(body: bytes) -> list[tuple[str, str]]:
    """The fields of an `application/x-www-form-urlencoded` body."""
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100_000)


def comes_from_the_console(headers: Headers) -> bool:
    """Whether a browser says that one of the console's pages sent the request.

    A foreign ``Origin`` was refused before (`admin/host_guard.py`); a script can set neither header.
    https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
    """
    site = headers.get("sec-fetch-site")
    return site == "same-origin" if site is not None else "origin" in headers


def has_short_body(headers: Headers, limit: int) -> bool:
    """Whether the request announces a body within the limit, as browsers do for each form."""
    announced = headers.get("content-length", "")
    return announced.isascii() and announced.isdigit() and int(announced[:12]) <= limit


async def refuse_forged_write(request: Request, csrf: str) -> Response | None:
    """The response to a write that none of this session's pages has sent; None for all others."""
    if request.method in _SAFE:
        return None
    if not comes_from_the_console(request.headers):
        return _refusal(request, HTTPStatus.FORBIDDEN, "another-site")
    if not has_short_body(request.headers, MAX_FORM):
        return _refusal(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large")
    sent = request.headers.get(CSRF_HEADER, "")
    fields: list[tuple[str, str]] = []
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == _URL_ENCODED:
        fields = form_fields(await request.body())
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
    fields: list[tuple[str, str]] | None = None,
    csrf: str = "",
) -> Response:
    url = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    values = {"title": "Not sent", "theme": "", "reason": reason, "fields": fields or [], "url": url}
    content = render("not_sent.html", {**values, "csrf": csrf, "csrf_name": CSRF_FIELD})
    return HTMLResponse(content, status, {SESSION_HEADER: reason})
