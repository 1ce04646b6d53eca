"""The simulator: what happens to a request, drawn, from fields or from what somebody pastes."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from crossgate.catalogue.model import ApiType, default_endpoint
from crossgate.console.api import ApiProblem, encode_query
from crossgate.console.csrf import PASTED_FIELD
from crossgate.console.flow_chart import draw_flow
from crossgate.console.page import Page, page
from crossgate.console.sent_values import whole_number
from crossgate.console.simulation import FIELDS, simulation

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_PATH: Final = "/simulator"
_SOME_APIS: Final = 50
_READ: Final = {
    "api": "API",
    "path": "path",
    "origin": "origin",
    "method": "method",
    "headers": "headers",
}


async def show_simulator(found: Page) -> Response:
    """The form with its result, or both flow charts before any request."""
    return await _show(found)


async def send_request(found: Page) -> Response:
    """Send the request of the fields through the gateway, and show the result beside the computed one."""
    form = await found.form()
    body = await _body(found, _fields(found), compared=False)
    body["confirm_native"] = form.get("confirm_native") == "1"
    try:
        sent = (await found.api.read("POST", "/v1/explain/send", body=body)).json
    except ApiProblem as problem:
        return await _show(found, send_problem=problem)
    return await _show(found, sent=sent)


async def back_to_simulator(found: Page) -> Response:
    """The page whose request was sent: a reload sends nothing."""
    return found.redirect(f"{_PATH}?{found.request.url.query}")


async def _show(
    found: Page, *, sent: dict[str, Any] | None = None, send_problem: ApiProblem | None = None
) -> Response:
    fields = _fields(found)
    apis = await found.api.get("/v1/apis", {"limit": _SOME_APIS, "counts": "true"})
    revisions = await _revisions(found)
    values: dict[str, Any] = {
        "fields": fields,
        "apis": [one["key"] for one in apis["items"]],
        "has_more_apis": apis.get("next") is not None,
        "revisions": revisions,
        "methods": METHODS,
        "read": _read_words(found),
        "ignored": found.query.get("ignored", ""),
        "group": found.query.get("group", ""),
        "unread": found.query.get("unread", ""),
        "problem": None,
        "shown": None,
        "charts": (),
        "sent": sent,
        "send_problem": send_problem,
        "send_url": f"{_PATH}/send?{found.request.url.query}",
        "json_url": f"{_PATH}/explanation?{encode_query(fields)}",
    }
    title = "Simulator"
    if not (fields["api"] or fields["path"] or fields["origin"]):
        flows = await found.api.get("/v1/explain")
        values["charts"] = (
            draw_flow(flows["preflight"], "OPTIONS, a preflight"),
            draw_flow(flows["request"], "Any other request"),
        )
        return await found.show("simulator.html", title=title, call="GET /v1/explain", **values)
    status = await found.api.get("/v1/status")
    try:
        body = await _body(found, fields)
        explained = (await found.api.read("POST", "/v1/explain", body=body)).json
    except ApiProblem as problem:
        values["problem"] = problem
        return await found.show(
            "simulator.html", title=title, call="POST /v1/explain", status=problem.status, **values
        )
    other = "My draft" if fields["compare"] == "draft" else f"Revision {fields['compare']}"
    values["shown"] = simulation(
        explained,
        body,
        path=body.get("path", "") or fields["path"],
        document=status["file"] or "gateway.yaml",
        other=other,
    )
    values["body"] = json.dumps(body)
    values["base"] = str(found.request.base_url).rstrip("/")
    values["api_key"] = body["api"]
    return await found.show("simulator.html", title=title, call="POST /v1/explain", **values)


async def show_explanation(found: Page) -> Response:
    """The JSON of the explanation."""
    body = await _body(found, _fields(found))
    return JSONResponse((await found.api.read("POST", "/v1/explain", body=body)).json)


async def read_pasted(found: Page) -> Response:
    """Read what was pasted, and see the fields; values of headers are in no URL."""
    form = await found.form()
    text = form.get(PASTED_FIELD, "")
    made = (await found.api.read("POST", "/v1/explain/parse", body={"text": text})).json
    fields = {name: made[name] for name in FIELDS if isinstance(made.get(name), str)}
    if not (made["api"] or made["path"] or made["origin"]):
        return found.redirect(f"{_PATH}?unread=1")
    if "host" not in form:
        fields["host"] = ""  # only server-level CORS looks at it, and a copied host may be another proxy's
    refusal = made["refusal"] or {"group": "", "taken": []}
    more = {
        "read": ",".join(one for one in made["read"] if one in _READ),
        "taken": ",".join(refusal["taken"]),
        "group": refusal["group"],
        "ignored": ",".join(made["ignored"][:20]),
    }
    return found.redirect(f"{_PATH}?{encode_query({**fields, **more})}")


def _fields(found: Page) -> dict[str, str]:
    fields = {name: found.query.get(name, "").strip() for name in FIELDS}
    fields["method"] = fields["method"] or "GET"
    return fields


async def _body(found: Page, fields: dict[str, str], *, compared: bool = True) -> dict[str, Any]:
    """The call of the API that the fields stand for; under the newest revision only if not ``compared``."""
    names = ("api", "origin", "method", "request_headers", "content_type", "sec_fetch_site", "host")
    body: dict[str, Any] = {name: fields[name] for name in names if fields[name]}
    body |= {"api": fields["api"], "method": fields["method"], "script": True}
    if fields["path"]:
        body["path"] = await _whole_path(found, fields["api"], fields["path"])
    if not compared:
        return body
    revision, compared_with = whole_number(fields["revision"]), whole_number(fields["compare"])
    if revision is not None:
        body["revision"] = revision
    if compared_with is not None:
        body["compare"] = {"revision": compared_with}
    elif fields["compare"] == "draft" and fields["draft"]:
        with suppress(ValueError):
            draft = json.loads(fields["draft"])
            if isinstance(draft, dict):
                body["compare"] = {"policy": draft}
    return body


async def _whole_path(found: Page, api: str, path: str) -> str:
    """The path with the API's endpoint, if it is below the endpoint only."""
    if not api:
        return path
    written = await found.api.get(f"/v1/apis/{api}")
    usual = default_endpoint(ApiType(written["type"]), written["name"], written["version"])
    endpoints = written.get("endpoints") or [usual]
    if any(f"{path}/".startswith(f"{one}/") for one in endpoints):
        return path
    return f"{endpoints[0]}/{path.lstrip('/')}"


async def _revisions(found: Page) -> list[dict[str, Any]]:
    """The newest revisions; none if the gateway runs a file."""
    try:
        items: list[dict[str, Any]] = (await found.api.get("/v1/revisions", {"limit": 20}))["items"]
    except ApiProblem:
        return []  # the caller is limited to some APIs, and sees no history
    return items


def _read_words(found: Page) -> str:
    """What was read from what was pasted, in words."""
    read = [_READ[one] for one in found.query.get("read", "").split(",") if one in _READ]
    taken = [_READ[one] for one in found.query.get("taken", "").split(",") if one in _READ]
    words = f"Read: {_and(read)}." if read else ""
    if taken:
        verb = "is" if len(taken) == 1 and taken[0] != "headers" else "are"
        first = _and(taken)
        words += f" {first[:1].upper()}{first[1:]} {verb} from the newest refusal of this origin."
    return words


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


routes: Final[list[BaseRoute]] = [
    page(_PATH, show_simulator),
    page(f"{_PATH}/explanation", show_explanation),
    page(f"{_PATH}/send", back_to_simulator),
    page(f"{_PATH}/send", send_request, methods=("POST",)),
    page(f"{_PATH}/read", read_pasted, methods=("POST",)),
]
