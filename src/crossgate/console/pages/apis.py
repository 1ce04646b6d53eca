"""APIs: the list, an API's page with its policy editor, and plain forms for the API itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.catalogue.model import ApiType, default_endpoint
from crossgate.catalogue.yaml.writer import write_yaml
from crossgate.console.api import ApiProblem, encode_query
from crossgate.console.object_edit import Conflict, conflict, merge
from crossgate.console.page import Page, page
from crossgate.console.policy_form import KINDS, METHODS, NEW_POLICY, Fields, PolicyForm
from crossgate.console.policy_view import PolicyView, age_verdict, age_words, empty_view, policy_view
from crossgate.service.permission import Role

_LIMIT: Final = 50
_FORM_KEYS: Final = ("type", "native", "endpoints")
_SAMPLE: Final = {"name": "NAME", "version": "1.0", "type": "rest", "native": "http://HOST:8080"}
_NO_TRAFFIC: Final[Mapping[str, Any]] = {
    "refused": 0,
    "observed": 0,
    "clients": 0,
    "any_allowed": False,
    "entries": [],
    "refused_methods": [],
    "refused_headers": [],
}


def _endpoints(api: Mapping[str, Any]) -> list[str]:
    """The API's endpoints; a document leaves the default one out."""
    return api.get("endpoints") or [default_endpoint(ApiType(api["type"]), api["name"], api["version"])]


async def show_apis(found: Page) -> Response:
    """A page of the list."""
    q, cursor = found.query.get("q", ""), found.query.get("cursor", "")
    problem: ApiProblem | None = None
    listed: dict[str, Any] = {"items": [], "next": None, "total": 0}
    query = {"q": q, "cursor": cursor, "limit": _LIMIT}
    try:
        listed = await found.api.get("/v1/apis", {**query, "counts": "true"})
    except ApiProblem as refused:
        if refused.status == HTTPStatus.SERVICE_UNAVAILABLE:
            listed = await found.api.get("/v1/apis", query)  # without counts, which the store has
        elif refused.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        else:
            problem = refused
    return await found.show(
        "apis/list.html",
        title="APIs",
        call=f"GET /v1/apis?{encode_query({'q': q, 'counts': 'true'})}",
        q=q,
        listed=listed,
        endpoints=_endpoints,
        next=encode_query({"q": q, "cursor": listed["next"]}) if listed["next"] else "",
        problem=problem,
    )


async def show_api(found: Page) -> Response:
    """An API with its policy."""
    api, etag = await _read(found)
    return await _show(found, api, PolicyForm.of(api, etag), etag)


async def preview_draft(found: Page) -> Response:
    """What follows typing: the verdicts beside the fields, and the save bar."""
    fields = await found.form_items()
    view = await _view(found, PolicyForm.read(fields), await _traffic(found))
    return found.fragment("apis/preview.html", **_values(found, view, fields))


async def edit_policy(found: Page) -> Response:
    """One act on the draft: of a button of the editor, or saving it."""
    fields = await found.form_items()
    act = next((value for name, value in reversed(fields) if name == "do"), "")
    if act == "discard":
        return found.redirect(_url(found))
    api, etag = await _read(found)
    if act == "begin":
        return await _show(found, api, _begun(etag), etag)
    form = PolicyForm.read(fields).act(act, fields)
    if act == "merge":
        return await _show(found, api, form.merged(api, etag), etag, fields=fields)
    if act == "save":
        return await _save(found, api, etag, form, fields)
    return await _show(found, api, form, etag, fields=fields)


async def _save(found: Page, api: Mapping[str, Any], etag: str, form: PolicyForm, fields: Fields) -> Response:
    path = f"/v1/apis/{found.name('name')}/{found.name('version')}"
    headers = {"If-Match": form.etag} if form.etag else {"If-None-Match": "*"}
    body: Mapping[str, Any] = form.policy
    if etag == form.etag and form.lint is not None:
        # Acceptances stand beside the policy: the API is written as it was read, with both.
        headers = {"If-Match": (await found.api.read("GET", path)).etag}
        body = {**api, "cors": form.policy, "lint": {**api.get("lint", {}), **form.lint}}
        if not body["lint"]["allow"]:
            body = {name: value for name, value in body.items() if name != "lint"}
    elif etag == form.etag:
        path = f"{path}/policy"
    else:
        return await _conflict(found, form, fields)
    response = await found.api.call(
        "PUT", path, query={"message": dict(fields).get("reason", "")}, body=body, headers=headers
    )
    if response.ok:
        return found.redirect(f"{_url(found)}?done={response.revision}")
    problem = ApiProblem(response)
    if problem.status == HTTPStatus.PRECONDITION_FAILED:
        return await _conflict(found, form, fields)
    return await _show(found, api, form, etag, fields=fields, problem=problem)


async def _conflict(found: Page, form: PolicyForm, fields: Fields) -> Response:
    api, etag = await _read(found)
    newest: dict[str, Any] = await found.api.get("/v1/revisions", {"limit": 1})
    first = next(iter(newest["items"]), None)
    return await _show(found, api, form.merged(api, etag), etag, fields=fields, saved_first=first)


async def _show(
    found: Page,
    api: Mapping[str, Any],
    form: PolicyForm,
    etag: str,
    *,
    fields: Fields = (),
    problem: ApiProblem | None = None,
    saved_first: Mapping[str, Any] | None = None,
) -> Response:
    traffic = await _traffic(found)
    view = await _view(found, form, traffic)
    values = {
        **_values(found, view, fields),
        "api": api,
        "etag": etag,
        "reason": dict(fields).get("reason", ""),
        "problem": problem,
        "saved_first": saved_first,
        "readiness": await _readiness(found, form),
    }
    if found.wants_part:
        return found.fragment("apis/editor.html", **values)
    return await found.show(
        "apis/page.html",
        title=f"{api['name']} {api['version']}",
        call=f"GET /v1/apis/{api['name']}/{api['version']}",
        traffic=traffic,
        endpoints=_endpoints(api),
        status=HTTPStatus.OK if problem is None else problem.status,
        **values,
    )


def _values(found: Page, view: PolicyView, fields: Fields = ()) -> dict[str, Any]:
    return {
        "file": dict(fields).get("file", ""),
        "view": view,
        "form": view.form,
        "policy_url": _url(found),
        "methods": METHODS,
        "kinds": KINDS,
        "age_words": age_words,
        "age_verdict": age_verdict,
        "edit": found.may(Role.EDITOR),
    }


async def _view(found: Page, form: PolicyForm, traffic: Mapping[str, Any]) -> PolicyView:
    if not form.added:
        return empty_view(form)
    path = f"/v1/apis/{found.name('name')}/{found.name('version')}/policy/preview"
    response = await found.api.read("POST", path, body={"policy": form.policy, "lint": form.lint})
    return policy_view(form, response.json, traffic, response.etag)


async def _read(found: Page) -> tuple[dict[str, Any], str]:
    """The API, and the etag of its policy; empty if it has none."""
    path = f"/v1/apis/{found.name('name')}/{found.name('version')}"
    api: dict[str, Any] = await found.api.get(path)
    if "cors" not in api:
        return api, ""
    policy = await found.api.call("GET", f"{path}/policy")
    return api, policy.etag if policy.ok else ""


async def _traffic(found: Page) -> Mapping[str, Any]:
    """What is recorded; nothing if the store cannot be read, so that the policy can still be edited."""
    path = f"/v1/apis/{found.name('name')}/{found.name('version')}/traffic"
    response = await found.api.call("GET", path)
    traffic: Mapping[str, Any] = response.json if response.ok else _NO_TRAFFIC
    return traffic


async def _readiness(found: Page, form: PolicyForm) -> Mapping[str, Any] | None:
    if form.was("mode") != "observe":
        return None
    path = f"/v1/apis/{found.name('name')}/{found.name('version')}/readiness"
    response = await found.api.call("GET", path)
    readiness: Mapping[str, Any] | None = response.json if response.ok else None
    return readiness


def _begun(etag: str) -> PolicyForm:
    form = PolicyForm.of({"cors": dict(NEW_POLICY)}, etag)
    # The API has no policy yet: everything is new.
    return PolicyForm(None, etag, form.rows, form.values)


def _url(found: Page) -> str:
    return _url_of(found.name("name"), found.name("version"))


def _url_of(name: str, version: str) -> str:
    return f"/apis/{quote(name, safe='')}/{quote(version, safe='')}"


async def show_api_form(found: Page) -> Response:
    """The API itself, to change, or an empty form for a new one."""
    new = "name" not in found.request.path_params
    if not found.may(Role.EDITOR):
        return found.redirect("/apis" if new else _url(found))
    if new:
        return await _show_form(found, {"type": "rest"}, "")
    path = f"/v1/apis/{found.name('name')}/{found.name('version')}"
    read = await found.api.read("GET", path)
    return await _show_form(found, read.json, read.etag)


async def _show_form(
    found: Page,
    api: Mapping[str, Any],
    etag: str,
    problem: ApiProblem | None = None,
    removing: str = "",
    *,
    base: str | None = None,
    clash: Conflict | None = None,
) -> Response:
    """The form; ``base`` is what it was made from, as JSON, if that is not the API."""
    new = "name" not in found.request.path_params
    key = "" if new else f"{found.name('name')}/{found.name('version')}"
    return await found.show(
        "apis/form.html",
        title="Add an API" if new else f"Edit {key.replace('/', ' ')}",
        call="PUT /v1/apis/NAME/VERSION" if new else f"PUT /v1/apis/{key}",
        status=HTTPStatus.OK if problem is None else problem.status,
        api=api,
        etag=etag,
        base=json.dumps(_in_form(api)) if base is None else base,
        clash=clash,
        entry=write_yaml({"apis": [_SAMPLE if new else api]}),
        new=new,
        key=key,
        problem=problem,
        removing=removing,
        policy_url="/apis" if new else _url(found),
    )


async def save_api(found: Page) -> Response:
    """Create the API, or write what its form has over it; the policy stays."""
    form = await found.form()
    new = "name" not in found.request.path_params
    name = form.get("name", "").strip() if new else found.name("name")
    version = form.get("version", "").strip() if new else found.name("version")
    path = f"/v1/apis/{name or '-'}/{version or '-'}"
    before: Mapping[str, Any] = {} if new else await found.api.get(path)
    endpoints = form.get("endpoints", "").split()
    body = {**before, "name": name, "version": version}
    body |= {"type": form.get("type", "rest"), "native": form.get("native", "").strip()}
    body.pop("endpoints", None)
    if endpoints:
        body["endpoints"] = endpoints
    response = await found.api.call(
        "PUT",
        path,
        query={"message": form.get("reason", "")},
        body=body,
        headers={"If-None-Match": "*"} if new else {"If-Match": form.get("etag", "")},
    )
    if response.ok:
        return found.redirect(
            f"/apis/{quote(name, safe='')}/{quote(version, safe='')}?done={response.revision}"
        )
    problem = ApiProblem(response)
    if problem.status == HTTPStatus.PRECONDITION_FAILED and not new:
        return await _show_clash(found, problem, _base_of(form), _in_form(body))
    return await _show_form(found, body, form.get("etag", ""), problem, base=form.get("base", ""))


async def _show_clash(
    found: Page, problem: ApiProblem, base: Mapping[str, Any], mine: Mapping[str, Any]
) -> Response:
    """The form with what both changed, on top of what was saved first."""
    read = await found.api.read("GET", f"/v1/apis/{found.name('name')}/{found.name('version')}")
    theirs = _in_form(read.json)
    others = {key: value for key, value in read.json.items() if key not in _FORM_KEYS}
    return await _show_form(
        found,
        others | merge(base, theirs, mine),
        read.etag,
        problem,
        base=json.dumps(theirs),
        clash=conflict(base, theirs, mine),
    )


def _in_form(api: Mapping[str, Any]) -> dict[str, Any]:
    """What the form has of an API that exists."""
    return {key: api[key] for key in _FORM_KEYS if key in api}


def _base_of(form: Mapping[str, str]) -> dict[str, Any]:
    """What a form says that it was made from; nothing if that cannot be read: then all of it is a change."""
    try:
        base = json.loads(form.get("base", ""))
    except (ValueError, RecursionError):
        return {}
    return _in_form(base) if isinstance(base, dict) else {}


async def remove(found: Page) -> Response:
    """Remove the policy, or delete the API, if its name was typed."""
    form = await found.form()
    key = f"{found.name('name')}/{found.name('version')}"
    what = form.get("what", "")
    path = f"/v1/apis/{key}" + ("/policy" if what == "policy" else "")
    api = await found.api.read("GET", f"/v1/apis/{key}")
    if form.get("typed", "").strip() != key:
        return await _show_form(found, api.json, api.etag, removing=what)
    etag = (await found.api.read("GET", path)).etag
    response = await found.api.call(
        "DELETE", path, query={"message": form.get("reason", "")}, headers={"If-Match": etag}
    )
    if response.ok:
        target = _url(found) if what == "policy" else "/apis"
        return found.redirect(f"{target}?done={response.revision}")
    return await _show_form(found, api.json, api.etag, ApiProblem(response))


_API: Final = "/apis/{name}/{version}"
routes: Final[list[BaseRoute]] = [
    page("/apis", show_apis),
    page("/apis/new", show_api_form),
    page("/apis/new", save_api, methods=("POST",)),
    page(_API, show_api),
    page(_API, edit_policy, methods=("POST",)),
    page(f"{_API}/preview", preview_draft, methods=("POST",)),
    page(f"{_API}/edit", show_api_form),
    page(f"{_API}/edit", save_api, methods=("POST",)),
    page(f"{_API}/remove", remove, methods=("POST",)),
]
