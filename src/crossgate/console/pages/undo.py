"""Taking the last act back: a new revision with the state before it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.console.api import ApiProblem
from crossgate.console.local_url import local_url
from crossgate.console.page import Page, page


async def undo(found: Page) -> Response:
    """Restore the state before a revision; if somebody changed something since, show the plan of that."""
    form = await found.form()
    number = form.get("revision", "")
    if not (number.isascii() and number.isdigit() and 0 < len(number) < 10 and int(number)):
        return found.redirect("/changes")
    before = int(number) - 1
    response = await found.api.call(
        "POST",
        f"/v1/revisions/{before}/rollback",
        query={"message": f"Undo revision {int(number)}"},
        headers={"If-Match": f'"revision-{int(number)}"'},
    )
    if response.ok:
        return found.redirect(f"{local_url(form.get('back', ''), '/changes')}?done={response.revision}")
    if response.status == HTTPStatus.PRECONDITION_FAILED:
        return found.redirect(f"/changes/{int(number)}?rollback={before}")
    raise ApiProblem(response)


routes: Final[list[BaseRoute]] = [page("/undo", undo, methods=("POST",))]
