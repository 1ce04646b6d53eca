"""One application: add, edit, suspend, resume and delete, each with its effect first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.console.api import ApiProblem
from crossgate.console.applications import SaveBar, save_bar
from crossgate.console.difference import differences
from crossgate.console.object_edit import conflict, merge
from crossgate.console.page import Page, page
from crossgate.service.permission import Role

_CHOICES: Final = 12
"""APIs that a search offers."""
_LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class ActPreview:
    """What an act would do, or why it cannot be done."""

    bar: SaveBar | None
    difference: Any
    problem: ApiProblem | None

    @property
    def refused(self) -> bool:
        """Whether the act would be refused."""
        return self.bar is None or bool(self.bar.refused)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A filled form: the application that it was made from, and what it is to become."""

    name: str
    etag: str
    base: Mapping[str, Any]
    body: Mapping[str, Any]
    message: str


async def new_application(found: Page) -> Response:
    """The empty form."""
    if not found.may(Role.EDITOR):
        return found.redirect("/applications")
    origin = found.query.get("origin", "")
    body = {"javascript_origins": [origin] if origin else []}
    return await _form(found, _Sent("", "", {}, body, ""), None)


async def edit_application(found: Page) -> Response:
    """The form of an application."""
    name = found.name("name")
    if not found.may(Role.EDITOR):
        return found.redirect(f"/applications?view=cards&q={name}")
    current = await found.api.read("GET", f"/v1/applications/{name}")
    return await _form(found, _Sent(name, current.etag, current.json, current.json, ""), None)


async def preview_application(found: Page) -> Response:
    """The bar below the form: what saving it would do."""
    sent = await _sent(found)
    preview = await _preview(found, sent.name, sent.body) if sent.name else None
    changed = _comparable(sent.base) != _comparable(sent.body)
    status = await found.api.get("/v1/status")
    return found.fragment(
        "applications/edit_bar.html", sent=sent, preview=preview, changed=changed, frame=status, theirs=None
    )


async def save_application(found: Page) -> Response:
    """Save the form as a revision."""
    sent = await _sent(found)
    headers = {"If-Match": sent.etag} if sent.etag else {"If-None-Match": "*"}
    answer = await found.api.call(
        "PUT",
        f"/v1/applications/{sent.name or '-'}",
        query={"message": sent.message},
        body=sent.body,
        headers=headers,
    )
    if answer.ok:
        return found.redirect(f"/applications?view=cards&q={sent.name}&done={answer.revision}")
    if answer.status != HTTPStatus.PRECONDITION_FAILED or not sent.etag:
        return await _form(found, sent, ApiProblem(answer))
    theirs = await found.api.read("GET", f"/v1/applications/{sent.name}")
    both = conflict(sent.base, theirs.json, sent.body)
    merged = _Sent(
        sent.name, theirs.etag, theirs.json, merge(sent.base, theirs.json, sent.body), sent.message
    )
    return await _form(found, merged, None, theirs=both, status=HTTPStatus.CONFLICT)


async def _form(
    found: Page, sent: _Sent, problem: ApiProblem | None, *, theirs: Any = None, status: int = HTTPStatus.OK
) -> Response:
    origins = list(sent.body.get("javascript_origins", ()))
    preview = await _preview(found, sent.name, sent.body) if theirs is not None else None
    return await found.show(
        "applications/edit.html",
        title=f"Edit {sent.name}" if sent.etag else "Add application",
        call=f"GET /v1/applications/{sent.name}" if sent.etag else "PUT /v1/applications/NAME",
        status=problem.status if problem else status,
        sent=sent,
        base=json.dumps(sent.base),
        origins=origins,
        verdicts=await _verdicts(found, [one for one in origins if one]),
        apis=list(sent.body.get("apis", ())),
        problem=problem,
        preview=preview,
        changed=theirs is not None,
        theirs=theirs,
    )


async def show_verdict(found: Page) -> Response:
    """The verdict on an origin as it is typed."""
    origin = found.query.get("origin", "").strip()
    proved = (await _prove(found, [origin]))[0] if origin else None
    return found.fragment("applications/origin_verdict.html", proved=proved)


async def find_apis(found: Page) -> Response:
    """APIs that a search finds, to choose from."""
    q = found.query.get("api_q", "").strip()
    try:
        listed = (
            await found.api.get("/v1/apis", {"q": q, "limit": _CHOICES}) if q else {"items": [], "total": 0}
        )
    except ApiProblem as problem:
        return found.fragment("applications/api_choices.html", listed=None, problem=problem)
    return found.fragment("applications/api_choices.html", listed=listed, problem=None)


async def _verdicts(found: Page, origins: list[str]) -> dict[str, Any]:
    return {one["value"]: one for one in await _prove(found, origins[:_LISTED])} if origins else {}


async def _prove(found: Page, origins: list[str]) -> list[dict[str, Any]]:
    body = {"patterns": [{"kind": "exact", "value": one[:4096]} for one in origins]}
    items: list[dict[str, Any]] = (await found.api.read("POST", "/v1/prove", body=body)).json["items"]
    return items


async def _sent(found: Page) -> _Sent:
    items = await found.form_items()
    form = dict(items)
    try:
        raw = json.loads(form.get("base") or "{}")
    except ValueError:
        raw = {}
    base: dict[str, Any] = raw if isinstance(raw, dict) else {}
    body = {key: value for key, value in base.items() if key not in ("javascript_origins", "apis")}
    for key, field in (("javascript_origins", "origin"), ("apis", "api")):
        values = list(
            dict.fromkeys(value.strip() for name, value in items if name == field and value.strip())
        )
        if values:
            body[key] = values
    name = str(base.get("name") or form.get("name", "")).strip()
    if name:
        body["name"] = name
    return _Sent(name, form.get("etag", ""), base, body, form.get("message", ""))


def _comparable(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in body.items() if value}


async def _preview(found: Page, name: str, body: Mapping[str, Any], *, delete: bool = False) -> ActPreview:
    answer = await found.api.call(
        "POST",
        f"/v1/applications/{name}/preview",
        query={"delete": "true" if delete else None},
        body=body,
    )
    if not answer.ok:
        return ActPreview(None, (), ApiProblem(answer))
    return ActPreview(save_bar(answer.json), differences(answer.json["changes"]), None)


async def show_act(found: Page) -> Response:
    """Suspend, resume or delete: the effect first."""
    if not found.may(Role.EDITOR):
        return found.redirect(f"/applications?view=cards&q={found.name('name')}")
    return await _show_act(found, None)


async def _show_act(found: Page, problem: ApiProblem | None, *, typed: str | None = None) -> Response:
    name, act = found.name("name"), found.name("act")
    current = await found.api.read("GET", f"/v1/applications/{name}")
    body = {**current.json, "suspended": act == "suspend"}
    preview = await _preview(found, name, body, delete=act == "delete")
    verbs = {"suspend": "Suspend", "resume": "Resume", "delete": "Delete"}
    call = f"DELETE /v1/applications/{name}" if act == "delete" else f"POST /v1/applications/{name}/{act}"
    status = HTTPStatus.OK if typed is None else HTTPStatus.UNPROCESSABLE_ENTITY
    return await found.show(
        "applications/act.html",
        title=f"{verbs[act]} {name}",
        call=call,
        status=status if problem is None else problem.status,
        name=name,
        act=act,
        verb=verbs[act],
        etag=current.etag,
        preview=preview,
        problem=problem,
        typed=typed,
    )


async def do_act(found: Page) -> Response:
    """Suspend, resume or delete the application."""
    name, act = found.name("name"), found.name("act")
    form = await found.form()
    if act == "delete" and form.get("typed", "").strip() != name:
        return await _show_act(found, None, typed=form.get("typed", ""))
    path = f"/v1/applications/{name}"
    answer = await found.api.call(
        "DELETE" if act == "delete" else "POST",
        path if act == "delete" else f"{path}/{act}",
        query={"message": form.get("message", "")},
        headers={"If-Match": form.get("etag", "")},
    )
    if answer.ok:
        q = "" if act == "delete" else f"&q={name}"
        return found.redirect(f"/applications?view=cards{q}&done={answer.revision}")
    return await _show_act(found, ApiProblem(answer))


class _ActConvertor(Convertor[str]):
    """An act on one application, as a part of a path."""

    regex = "suspend|resume|delete"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("act", _ActConvertor())

routes: Final[list[BaseRoute]] = [
    page("/applications/new", new_application),
    page("/applications/verdict", show_verdict),
    page("/applications/apis", find_apis),
    page("/applications/preview", preview_application, methods=("POST",)),
    page("/applications/save", save_application, methods=("POST",)),
    page("/applications/{name}/edit", edit_application),
    page("/applications/{name}/{act:act}", show_act),
    page("/applications/{name}/{act:act}", do_act, methods=("POST",)),
]
