"""The proof of patterns as they are typed, and the rules of the linter."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.console.page import Page, page


async def show_rule(found: Page) -> Response:
    """One rule: why it matters, what to do."""
    code = found.name("code")
    rule = await found.api.get(f"/v1/rules/{code}")
    return await found.show("rule.html", title=f"Rule {code}", call=f"GET /v1/rules/{code}", rule=rule)


routes: Final[list[BaseRoute]] = [page("/rules/{code}", show_rule)]
