"""Taking the last act back: a new revision with the state before it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.console.api import ApiProblem
from crossgate.console.page import Page, page
from crossgate.console.sent_values import local_url, whole_number


async def undo(found: Page) -> Response:
    """Restore the state before a revision; show the plan if it must be read or confirmed first."""
    form = await found.form()
    number = whole_number(form.get("revision", ""))
    if not number:
        return found.redirect("/changes")
    before = number - 1
    response = await found.api.call(
        "POST",
        f"/v1/revisions/{before}/rollback",
        query={"message": f"Undo revision {number}"},
        headers={"If-Match": f'"revision-{number}"'},
    )
    if response.ok:
        return found.redirect(f"{local_url(form.get('back', ''), '/changes')}?done={response.revision}")
    problem = ApiProblem(response)
    if problem.status == HTTPStatus.PRECONDITION_FAILED or problem.unconfirmed:
        return found.redirect(f"/changes/{number}?rollback={before}")
    raise problem


routes: Final[list[BaseRoute]] = [page("/undo", undo, methods=("POST",))]
