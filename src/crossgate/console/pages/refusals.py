"""Refusals: the list with one group beside it; dismiss a group, reopen it."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.console.api import ApiProblem, encode_query
from crossgate.console.browser_messages import address_of, browser_messages
from crossgate.console.page import Page, page
from crossgate.console.refusals import (
    DEFAULT_FILTER,
    PAGE_SIZE,
    place_in_list,
    refusal_row,
    refusal_view,
    tabs,
)
from crossgate.console.sent_values import whole_number
from crossgate.service.permission import Role

DISMISSALS: Final = (
    ("attack", "An attack", "Somebody looks for a way in. It stays dismissed, whatever the policy becomes"),
    ("bot", "A bot or a scanner", "No person is refused. It stays dismissed, whatever the policy becomes"),
    (
        "retired",
        "Retired",
        "It is open again if it is refused after a later change of the policy",
    ),
    ("other", "Another reason", "It is open again if it is refused after a later change of the policy"),
)
"""Reasons, with their names and what they mean."""
_FILLED: Final = {"reason": "other", "note": ""}
_MOST_PAGES: Final = 4000


async def show_refusals(found: Page) -> Response:
    """The list, with its first group beside it."""
    return await _show(found, None)


async def show_refusal(found: Page) -> Response:
    """One group beside the list."""
    return await _show(found, found.name("group"))


async def ask_to_dismiss(found: Page) -> Response:
    """The reasons; without scripts a page of its own."""
    group = found.name("group")
    if not found.may(Role.EDITOR):
        query = _list_query(found)
        return found.redirect(f"/refusals/{group}{'?' if query else ''}{query}")
    refusal = await found.api.get(f"/v1/refusals/{group}", {"changes": "false"})
    values = {
        "view": refusal_view(refusal, datetime.now(UTC)),
        "list_query": _list_query(found),
        "reasons": DISMISSALS,
        "following": found.query.get("next", ""),
        "problem": None,
        "filled": _FILLED,
    }
    return await _show_dismiss(found, values)


async def dismiss(found: Page) -> Response:
    """Dismiss the group, then show the next one of the list."""
    group, filled = found.name("group"), await found.form()
    body = {"reason": filled.get("reason", ""), "note": filled.get("note", "")}
    answer = await found.api.call("POST", f"/v1/refusals/{group}/dismiss", body=body)
    if answer.ok:
        return found.redirect(await _after(found, group, "dismissed"))
    problem = ApiProblem(answer)
    if answer.status != HTTPStatus.UNPROCESSABLE_ENTITY:
        raise problem
    refusal = await found.api.get(f"/v1/refusals/{group}", {"changes": "false"})
    values = {
        "view": refusal_view(refusal, datetime.now(UTC)),
        "list_query": _list_query(found),
        "reasons": DISMISSALS,
        "following": found.query.get("next", ""),
        "problem": problem,
        "filled": {**_FILLED, **filled},
    }
    return await _show_dismiss(found, values, answer.status)


async def reopen(found: Page) -> Response:
    """Forget what was decided, then show the group."""
    group = found.name("group")
    await found.api.read("POST", f"/v1/refusals/{group}/reopen")
    query = {**_list_values(found), "done": "reopened", "of": group}
    return found.redirect(f"/refusals/{group}?{encode_query(query)}")


async def _show_dismiss(found: Page, values: dict[str, Any], status: int = HTTPStatus.OK) -> Response:
    group = found.name("group")
    return await found.show(
        "refusals/dismiss.html",
        title="Dismiss",
        call=f"POST /v1/refusals/{group}/dismiss",
        status=status,
        **values,
    )


async def _after(found: Page, group: str, done: str) -> str:
    """The URL of the group that takes the place of the one that was decided about."""
    listed, _ = await _list(found)
    _, before, after = place_in_list(listed["items"], group)
    following = found.query.get("next") or after or before
    query = encode_query({**_list_values(found), "done": done, "of": group})
    return f"/refusals{f'/{following}' if following and following != group else ''}?{query}"


def _list_values(found: Page) -> dict[str, str]:
    """The state of the list, for URLs."""
    values = {"page": found.query.get("page", "")}
    if "q" in found.query:
        # An empty filter is not the default one.
        values["q"] = found.query["q"] or " "
    return values


def _list_query(found: Page) -> str:
    return encode_query(_list_values(found))


def _filter(found: Page) -> str:
    return found.query.get("q", DEFAULT_FILTER).strip()


def _page_number(found: Page) -> int:
    return min(whole_number(found.query.get("page", "")) or 1, _MOST_PAGES)


async def _list(found: Page) -> tuple[dict[str, Any], ApiProblem | None]:
    query = {
        "filter": _filter(found),
        "sort": "clients",
        "limit": PAGE_SIZE,
        "offset": (_page_number(found) - 1) * PAGE_SIZE,
    }
    try:
        return await found.api.get("/v1/refusals", query), None
    except ApiProblem as refused:
        if refused.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return {"items": [], "total": 0, "offset": 0, "states": {}, "others": []}, refused


async def _show(found: Page, chosen: str | None) -> Response:
    listed, problem = await _list(found)
    items = listed["items"]
    group = chosen or (items[0]["id"] if items else None)
    refusal = None
    if group is not None:
        refusal = await found.api.get(f"/v1/refusals/{group}", {"changes": "false"})
    gateway = address_of(await found.api.get("/v1/gateway"))
    text, number = _filter(found), _page_number(found)
    at, _, following = place_in_list(items, group or "")
    empty = None if items or problem else await _empty(found, text)
    view = None if refusal is None else refusal_view(refusal, datetime.now(UTC))
    call = f"/v1/refusals?{encode_query({'filter': text, 'sort': 'clients'})}"
    return await found.show(
        "refusals/page.html",
        title="Refusals" if chosen is None else "Refusal",
        call="GET " + (call if chosen is None else f"/v1/refusals/{group}"),
        q=text,
        problem=problem,
        chosen=chosen,
        rows=[refusal_row(one) for one in items],
        tabs=tabs(text, listed["states"]),
        total=listed["total"],
        first=listed["offset"] + 1,
        last=listed["offset"] + len(items),
        earlier=_page_query(text, number - 1) if number > 1 else "",
        later=_page_query(text, number + 1) if listed["offset"] + len(items) < listed["total"] else "",
        list_query=_list_query(found),
        view=view,
        messages=[] if refusal is None or view is None else browser_messages(refusal, view.answer, gateway),
        place=None if at is None else listed["offset"] + at + 1,
        following=following,
        reasons=DISMISSALS,
        filled=_FILLED,
        empty=empty,
        others=listed["others"],
        done=found.query.get("done", ""),
        done_of=await _done(found),
    )


def _page_query(text: str, number: int) -> str:
    return encode_query({"q": text or " ", "page": str(number)})


async def _done(found: Page) -> dict[str, Any] | None:
    """The group that the last act was about."""
    if found.query.get("done") not in ("dismissed", "reopened") or not found.query.get("of"):
        return None
    answer = await found.api.call("GET", f"/v1/refusals/{found.query['of']}", query={"changes": "false"})
    return answer.json if answer.ok else None


async def _empty(found: Page, text: str) -> dict[str, Any]:
    """Why there is nothing: nothing matches, nothing was refused, or nothing came."""
    if set(text.split()) - {"is:open", "sort:clients", "sort:recent", "sort:count"}:
        return {"kind": "filter"}
    overview = await found.api.get("/v1/overview", {"period": "24h"})
    counts: dict[str, Any] = {}
    for mode in ("enforce", "observe", "none"):
        listed = await found.api.get("/v1/apis", {"q": f"mode:{mode}", "limit": 1, "counts": "true"})
        counts[mode] = {"total": listed["total"], "first": listed["items"][0] if listed["items"] else None}
    totals = overview["traffic"]["totals"]
    return {
        "kind": "passed" if sum(totals.values()) else "traffic",
        "allowed": totals["allowed"],
        "requests": sum(totals.values()),
        "observed": totals["observed"],
        "apis": counts,
        "url": overview["example_url"],
    }


routes: Final[list[BaseRoute]] = [
    page("/refusals", show_refusals),
    page("/refusals/{group:str}", show_refusal),
    page("/refusals/{group:str}/dismiss", ask_to_dismiss),
    page("/refusals/{group:str}/dismiss", dismiss, methods=("POST",)),
    page("/refusals/{group:str}/reopen", reopen, methods=("POST",)),
]
