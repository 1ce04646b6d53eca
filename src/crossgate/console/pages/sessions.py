"""The sessions of the console: who is signed in, since when, and how to end one or all."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.console.page import Page, page

_URL: Final = "/settings/sessions"
_METHODS: Final = {"token": "Token", "link": "Link of the terminal", "company": "Company sign-in"}


async def show_sessions(found: Page) -> Response:
    """The sessions of the caller's name; for admins, those of everybody."""
    sessions = (await found.api.get("/v1/sessions"))["items"]
    return await found.show(
        "settings/sessions.html",
        title="Sessions",
        call="GET /v1/sessions",
        sessions=sessions[::-1],
        own=found.session.id,
        methods=_METHODS,
        ended=found.query.get("ended", ""),
    )


async def end_session(found: Page) -> Response:
    """End one session; one's own is the end of this page."""
    session_id = found.name("id")
    await found.api.read("DELETE", f"/v1/sessions/{session_id}")
    return found.redirect("/sign-in" if session_id == found.session.id else f"{_URL}?ended=1")


async def end_sessions(found: Page) -> Response:
    """Sign out everywhere: end all sessions of the caller's name, this one too."""
    await found.api.read("DELETE", "/v1/sessions")
    return found.redirect("/sign-in")


routes: Final[list[BaseRoute]] = [
    page(_URL, show_sessions),
    page(f"{_URL}/end-all", end_sessions, methods=("POST",)),
    page(f"{_URL}/{{id}}/end", end_session, methods=("POST",)),
]
