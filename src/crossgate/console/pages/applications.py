"""Applications: cards, the matrix with APIs, and the acts on one application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.console.api import ApiProblem, encode_query
from crossgate.console.applications import (
    COLUMNS,
    Column,
    application_rows,
    columns_of,
    every_origin,
    matrix_rows,
    save_bar,
    used_apis,
)
from crossgate.console.difference import differences
from crossgate.console.page import Page, page
from crossgate.console.sent_values import whole_number

_LIMIT: Final = {"cards": 20, "matrix": 25}
_ALL: Final = "*"
_PROVED_AT_ONCE: Final = 200
_MOST_SHOWN: Final = 100
"""Origins whose verdict a page of cards asks for."""


async def show_applications(found: Page) -> Response:
    """The list, as cards or as a matrix."""
    view = "cards" if found.query.get("view") == "cards" else "matrix"
    q, cursor = found.query.get("q", ""), found.query.get("cursor", "")
    listed: dict[str, Any] = {"items": [], "next": None, "total": 0}
    problem, unknown = None, False
    query = {"q": q, "cursor": cursor, "limit": _LIMIT[view]}
    try:
        listed = await found.api.get("/v1/applications", {**query, "seen": "true"})
    except ApiProblem as refused:
        if refused.status == HTTPStatus.SERVICE_UNAVAILABLE and "is:unseen" not in q:
            unknown = True
            listed = await found.api.get("/v1/applications", query)
        elif refused.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            problem = refused
        else:
            raise
    items: Sequence[Mapping[str, Any]] = listed["items"]
    verdicts = await _verdicts(found, every_origin(items)) if view == "cards" else {}
    rows = application_rows(items, verdicts)
    columns: list[Column] = []
    columns_next, apis = "", 0
    if view == "matrix":
        columns, columns_next, apis = await _columns(found, items)
    status = await found.api.get("/v1/status")
    kept = {"q": q, "view": view, "columns": found.query.get("columns", "")}
    return await found.show(
        "applications/page.html",
        title="Applications",
        call=f"GET /v1/applications?{encode_query({'q': q, 'seen': 'true', 'limit': _LIMIT[view]})}",
        q=q,
        view=view,
        rows=rows,
        matrix=matrix_rows(rows, columns, server_cors=status["server_cors"]),
        columns=columns,
        columns_asked=found.query.get("columns", ""),
        columns_next=encode_query({**kept, "cursor": cursor, "from": columns_next}) if columns_next else "",
        columns_first=encode_query({**kept, "cursor": cursor}),
        columns_from=found.query.get("from", ""),
        apis=apis,
        total=listed["total"],
        next=encode_query({**kept, "cursor": listed["next"]}) if listed["next"] else "",
        first=encode_query(kept),
        cursor=cursor,
        other_view=encode_query({"q": q, "view": "matrix" if view == "cards" else "cards"}),
        problem=problem,
        unknown=unknown,
        here=f"/applications?{encode_query({**kept, 'cursor': cursor, 'from': found.query.get('from', '')})}",
    )


async def _columns(found: Page, items: Sequence[Mapping[str, Any]]) -> tuple[list[Column], str, int]:
    """The columns, where the next ones begin, and how many APIs there are in all."""
    chosen, start = found.query.get("columns", ""), found.query.get("from", "")
    api_words = [word for word in found.query.get("q", "").split() if word.startswith("api:")]
    if not chosen and api_words:
        chosen = " ".join(api_words)
    q = "" if chosen == _ALL else chosen
    listed = await found.api.get(
        "/v1/apis", {"q": q, "limit": COLUMNS, "cursor": "" if not chosen else start}
    )
    total = (await found.api.get("/v1/apis", {"limit": 1}))["total"] if q else listed["total"]
    used = used_apis(items)
    if chosen or total <= COLUMNS or not used:
        return columns_of(one["api"] for one in listed["items"]), listed["next"] or "", total
    begin = whole_number(start) or 0
    shown = used[begin : begin + COLUMNS]
    apis = await asyncio.gather(*(found.api.get(f"/v1/apis/{key}") for key in shown))
    return columns_of(apis), str(begin + COLUMNS) if begin + COLUMNS < len(used) else "", total


async def _verdicts(found: Page, origins: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    proved: dict[str, Mapping[str, Any]] = {}
    for at in range(0, len(origins[:_MOST_SHOWN]), _PROVED_AT_ONCE):
        some = origins[:_MOST_SHOWN][at : at + _PROVED_AT_ONCE]
        body = {"patterns": [{"kind": "exact", "value": one} for one in some]}
        answer = await found.api.read("POST", "/v1/prove", body=body)
        proved |= {one["value"]: one["verdict"] for one in answer.json["items"]}
    return proved


async def preview_registrations(found: Page) -> Response:
    """The bar below the matrix: what saving the marked cells would do."""
    form = await found.form()
    return await _save_bar(found, form)


async def _save_bar(found: Page, form: Mapping[str, str]) -> Response:
    cells = _cells(form.get("cells", ""))
    answer = await found.api.call("POST", "/v1/registrations/preview", body=cells)
    status = await found.api.get("/v1/status")
    moved = form.get("moved", "")
    theirs = None
    if answer.ok and whole_number(moved) is not None:
        theirs = await _theirs(found, cells, answer.json["base"])
    return found.fragment(
        "applications/save_bar.html",
        problem=None if answer.ok else ApiProblem(answer),
        bar=save_bar(answer.json) if answer.ok else None,
        difference=differences(answer.json["changes"]) if answer.ok else (),
        etag=answer.etag,
        frame=status,
        url=form.get("url", "/applications"),
        moved=moved if theirs is not None else "",
        theirs=theirs,
        reason=form.get("message", ""),
    )


async def _theirs(found: Page, cells: Mapping[str, Any], head: int) -> Any:
    """What the newest revision changed of the same applications."""
    names = {one.get("application") for listed in cells.values() for one in listed}
    try:
        revision = await found.api.get(f"/v1/revisions/{head}")
    except ApiProblem:
        return {"number": head, "author": "", "difference": ()}
    same = [one for one in revision["changes"] if one["kind"] == "application" and one["key"] in names]
    return {"number": head, "author": revision["author"], "difference": differences(same)}


async def save_registrations(found: Page) -> Response:
    """Save the marked cells as one revision."""
    form = await found.form()
    answer = await found.api.call(
        "POST",
        "/v1/registrations",
        query={"message": form.get("message", "")},
        body=_cells(form.get("cells", "")),
        headers={"If-Match": form.get("etag", "")},
    )
    url = form.get("url", "")
    url = url if url.startswith("/applications?") else "/applications?view=matrix"
    if answer.ok:
        return found.redirect(f"{url}&done={answer.revision}")
    if answer.status == HTTPStatus.PRECONDITION_FAILED:
        base = form.get("etag", "").strip('"').removeprefix("revision-")
        return found.redirect(f"{url}&{encode_query({'moved': base})}")
    raise ApiProblem(answer)


def _cells(text: str) -> dict[str, Any]:
    """The marked cells of a form; none if it was not sent by the page's script."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = {}
    listed = found if isinstance(found, dict) else {}
    return {
        name: [one for one in listed.get(name, ()) if isinstance(one, dict)]
        for name in ("register", "remove")
    }


routes: Final[list[BaseRoute]] = [
    page("/applications", show_applications),
    page("/applications/registrations/preview", preview_registrations, methods=("POST",)),
    page("/applications/registrations", save_registrations, methods=("POST",)),
]
