"""Allowing a group of refusals: what exactly, whom else that lets in, and what it would have changed."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.console.allow_form import (
    KINDS,
    AllowForm,
    effect_of,
    foot_of,
    refuses_origin,
)
from crossgate.console.api import ApiProblem, encode_query
from crossgate.console.difference import differences
from crossgate.console.page import Page, page
from crossgate.console.sent_values import local_url
from crossgate.service.permission import Role

_MOST_APPLICATIONS: Final = 100


async def show_allow(found: Page) -> Response:
    """The sheet: over the list with htmx, otherwise a page of its own; as typed, only what follows typing."""
    return await _show(found, found.query)


async def _show(
    found: Page,
    fields: Mapping[str, str],
    *,
    conflict: ApiProblem | None = None,
    problem: ApiProblem | None = None,
) -> Response:
    path = f"/v1/refusals/{found.name('group')}"
    refusal = await found.api.get(path)
    form = AllowForm.of(fields, refusal)
    preview = await _preview(found, path, form)
    frame = await found.api.get("/v1/status")
    values: dict[str, Any] = {
        "refusal": refusal,
        "form": form,
        "by_origin": refuses_origin(refusal),
        "preview": preview,
        "proofs": await _proofs(found, refusal, form),
        "difference": differences((preview["change"] or {}).get("objects", ()), as_json=form.json),
        "effect": effect_of(preview),
        "foot": foot_of(form, preview, frame["revision"]),
        "may_allow": found.may(Role.EDITOR) and not frame["file"],
        "frame": frame,
        "toast": None,
        "conflict": None if conflict is None else await _theirs(found, frame["revision"]),
        "problem": problem,
        "format_urls": _format_urls(found, form),
    }
    if found.wants_part and fields.get("part") == "typed":
        return found.fragment("allow/typed.html", **values)
    values |= {"kinds": KINDS, "applications": await _applications(found, refusal["api"])}
    if found.wants_part:
        return found.fragment("allow/sheet.html", **values)
    status = conflict.status if conflict else problem.status if problem else HTTPStatus.OK
    return found.fragment(
        "allow/page.html", status=status, title="Allow", call=f"POST {path}/preview", **values
    )


async def allow(found: Page) -> Response:
    """Make the change that was shown."""
    fields = await found.form()
    path = f"/v1/refusals/{found.name('group')}"
    refusal = await found.api.get(path)
    form = AllowForm.of(fields, refusal)
    preview = await _preview(found, path, form)
    body = {**preview["choice"], "confirm": form.confirm, "sentence": fields.get("sentence", "")}
    response = await found.api.call(
        "POST",
        f"{path}/allow",
        query={"message": form.message},
        body=body,
        headers={"If-Match": fields.get("if_match", "") or preview["if_match"]},
    )
    if response.ok:
        return found.redirect(_with_done(local_url(form.next, "/refusals"), response.revision))
    problem = ApiProblem(response)
    moved = any(one["code"] == "precondition-failed" for one in problem.diagnostics)
    if moved:
        return await _show(found, fields, conflict=problem)
    return await _show(found, fields, problem=problem)


async def _preview(found: Page, path: str, form: AllowForm) -> dict[str, Any]:
    """The preview of the choice, with the body that it is the preview of."""
    choice = form.choice()
    preview = (await found.api.read("POST", f"{path}/preview", body=choice)).json
    refused = (preview["change"] or {}).get("refused", ())
    if form.accept_reason and refused:
        choice = form.choice(refused)
        preview = (await found.api.read("POST", f"{path}/preview", body=choice)).json
    return {**preview, "choice": choice}


async def _proofs(found: Page, refusal: Mapping[str, Any], form: AllowForm) -> dict[str, Any]:
    patterns = [
        {"kind": "exact", "value": refusal["origin"]},
        {"kind": form.kind, "value": form.value[:4096]},
    ]
    if refusal["origin"] == "null":
        patterns[0] = {"kind": "null", "value": ""}
    items = (await found.api.read("POST", "/v1/prove", body={"patterns": patterns})).json["items"]
    return {"origin": items[0], "pattern": items[1]}


async def _applications(found: Page, api: str) -> tuple[list[str], list[str]]:
    """Names of the API's applications, and of others."""
    query = {"limit": _MOST_APPLICATIONS}
    own = (await found.api.get("/v1/applications", {**query, "api": api}))["items"]
    names = [one["name"] for one in own if not one.get("suspended")]
    others = (await found.api.get("/v1/applications", query))["items"]
    taken = {one["name"] for one in own}
    return names, [one["name"] for one in others if one["name"] not in taken and not one.get("suspended")]


async def _theirs(found: Page, revision: int) -> dict[str, Any]:
    """What somebody else changed meanwhile."""
    response = await found.api.call("GET", f"/v1/revisions/{revision}")
    if not response.ok:
        return {"revision": revision, "author": "somebody", "difference": []}
    newest = response.json
    return {
        "revision": revision,
        "author": newest["author"],
        "difference": differences(newest.get("changes", ())),
    }


def _format_urls(found: Page, form: AllowForm) -> dict[str, str]:
    fields = {
        "what": form.what,
        "kind": form.kind,
        "value": form.value,
        "application": form.application,
        "next": form.next,
    }
    path = found.request.url.path
    proven = {**fields, "what": "pattern", "kind": "regex", "value": ""}
    return {
        "yaml": f"{path}?{encode_query(fields)}",
        "json": f"{path}?{encode_query({**fields, 'format': 'json'})}",
        "proven": f"{path}?{encode_query(proven)}&value=",
    }


def _with_done(url: str, revision: int | None) -> str:
    return f"{url}{'&' if '?' in url else '?'}done={revision}"


routes: Final[list[BaseRoute]] = [
    page("/refusals/{group}/allow", show_allow),
    page("/refusals/{group}/allow", allow, methods=("POST",)),
]
