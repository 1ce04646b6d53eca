"""Changes: every revision, what it did, and the way back, with its own plan first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.console.api import ApiProblem, encode_query
from crossgate.console.page import Page, page
from crossgate.console.revisions import MOST_OBJECTS, list_days, revision_detail, rollback_plan
from crossgate.console.sent_values import whole_number

_LIMIT: Final = 30
_QUICK_OBJECTS: Final = 200
"""Changes of a revision whose effect takes some 50 ms."""


async def show_changes(found: Page) -> Response:
    """The list, with the newest revision beside it."""
    return await _show(found, None)


async def show_change(found: Page) -> Response:
    """One revision beside the list."""
    return await _show(found, _number(found))


async def _show(
    found: Page, number: int | None, *, conflict: ApiProblem | None = None, message: str = ""
) -> Response:
    q, cursor = found.query.get("q", ""), found.query.get("cursor", "")
    problem: ApiProblem | None = None
    listed: dict[str, Any] = {"items": [], "next": None}
    try:
        listed = await found.api.get("/v1/revisions", {"filter": q, "cursor": cursor, "limit": _LIMIT})
    except ApiProblem as refused:
        if refused.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        problem = refused
    items: Sequence[Mapping[str, Any]] = listed["items"]
    shown = number if number is not None else (items[0]["number"] if items else None)
    revision = None if shown is None else await _read(found, shown)
    plan, etag, back_to = None, "", _back_to(found, shown)
    if back_to is not None and shown is not None:
        response = await found.api.read("GET", f"/v1/revisions/{back_to}/rollback")
        plan, etag = response.json, response.etag
    call = f"/v1/revisions{'?' if q else ''}{encode_query({'filter': q})}"
    if number is not None:
        call = f"/v1/revisions/{number if back_to is None else back_to}" + (
            "" if back_to is None else "/rollback"
        )
    return await found.show(
        "changes/page.html",
        title="Changes" if number is None else f"Change {number}",
        call=f"GET {call}",
        q=q,
        list_query=encode_query({"q": q, "cursor": cursor}),
        days=list_days(items, datetime.now(UTC).date()),
        first=items[0]["number"] if items else 0,
        last=items[-1]["number"] if items else 0,
        older=encode_query({"q": q, "cursor": listed["next"]}) if listed["next"] else "",
        problem=problem,
        chosen=number,
        revision=None if revision is None else revision_detail(revision),
        plan=None if plan is None or back_to is None else rollback_plan(plan, etag, back_to, shown or 0),
        conflict=conflict,
        message=message,
    )


async def _read(found: Page, number: int) -> dict[str, Any]:
    """One revision; without its effect if it changed very many objects and nobody wants to wait for it."""
    path = f"/v1/revisions/{number}"
    revision: dict[str, Any] = await found.api.get(path, {"limit": MOST_OBJECTS})
    if revision["objects"] > _QUICK_OBJECTS and found.query.get("effect") != "yes":
        return revision
    whole: dict[str, Any] = await found.api.get(path)
    return whole


def _back_to(found: Page, shown: int | None) -> int | None:
    return whole_number(found.query.get("rollback", "")) if shown else None


async def roll_back(found: Page) -> Response:
    """Restore a revision, if nothing was changed since its plan was shown."""
    form = await found.form()
    number = _number(found)
    to = whole_number(form.get("to", ""))
    response = await found.api.call(
        "POST",
        f"/v1/revisions/{number if to is None else to}/rollback",
        query={"message": form.get("message", ""), "confirm": "true" if "confirm" in form else None},
        headers={"If-Match": form.get("etag", "")},
    )
    if response.ok:
        return found.redirect(f"/changes/{response.revision}?done={response.revision}")
    problem = ApiProblem(response)
    if problem.status == HTTPStatus.PRECONDITION_FAILED or problem.unconfirmed:
        return await _show(found, number, conflict=problem, message=form.get("message", ""))
    raise problem


def _number(found: Page) -> int:
    return int(found.name("number"))


routes: Final[list[BaseRoute]] = [
    page("/changes", show_changes),
    page("/changes/{number:int}", show_change),
    page("/changes/{number:int}", roll_back, methods=("POST",)),
]
