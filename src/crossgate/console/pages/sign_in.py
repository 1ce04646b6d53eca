"""The sign-in page: a token opens a session."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crossgate.console.page import theme_of
from crossgate.console.render import render
from crossgate.console.sign_in import SIGN_IN


async def show_sign_in(request: Request) -> Response:
    """The form for a token."""
    return HTMLResponse(render("sign_in.html", {"title": "Sign in", "theme": theme_of(request)}))


async def to_sign_in(_: Request) -> Response:
    """Back to the form."""
    return RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)


routes: Final[list[BaseRoute]] = [
    Route(SIGN_IN, show_sign_in, methods=["GET"]),
    Route(SIGN_IN, to_sign_in, methods=["POST"]),
]
