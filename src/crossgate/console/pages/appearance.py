"""The theme: light, dark, or as the system. A cookie has it, so that the first paint needs no script."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.console.page import Page, page

_YEAR: Final = 365 * 86400
_URL: Final = "/settings/appearance"


async def show_appearance(found: Page) -> Response:
    """The choice of a theme."""
    return await found.show("settings/appearance.html", title="Appearance", call="")


async def set_theme(found: Page) -> Response:
    """Remember the theme in this browser."""
    theme = (await found.form()).get("theme", "")
    response = found.redirect(_URL)
    if theme in ("light", "dark"):
        response.set_cookie("crossgate-theme", theme, max_age=_YEAR, httponly=True, samesite="strict")
    else:
        response.delete_cookie("crossgate-theme", httponly=True, samesite="strict")
    return response


routes: Final[list[BaseRoute]] = [
    page(_URL, show_appearance),
    page(_URL, set_theme, methods=("POST",)),
]
