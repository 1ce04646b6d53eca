"""The settings that an object of the whole gateway holds: server-level CORS, and the gateway's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from crossgate.catalogue.fields import GATEWAY, SETTINGS
from crossgate.console.api import ApiProblem, InProcessResponse
from crossgate.console.object_edit import Conflict, Preview, conflict, merge, planned, refused
from crossgate.console.page import Page, page
from crossgate.console.record_form import FormGroup, form_groups, read_form
from crossgate.record import Record
from crossgate.service.permission import Role


@dataclass(frozen=True, slots=True)
class EditedObject:
    """An object that a settings page edits."""

    name: str
    """As documents name its section."""
    title: str
    url: str
    record: Record[Any]
    fixed: tuple[str, ...] = ()
    """Fields that are not edited here."""

    @property
    def resource(self) -> str:
        """Its path in the API."""
        return f"/v1/{self.name}"

    def groups(self, raw: Mapping[str, Any], before: Mapping[str, Any]) -> list[FormGroup]:
        """The form."""
        return form_groups(self.record, raw, before, (self.name,), self.fixed)


_SERVER_CORS: Final = EditedObject("settings", "Server-level CORS", "/settings", SETTINGS)
_GATEWAY: Final = EditedObject("gateway", "Gateway", "/settings/gateway", GATEWAY, ("listen",))


@dataclass(frozen=True, slots=True)
class _Sent:
    """A filled form: the object that it was made from, and what it declares now."""

    etag: str
    base: Mapping[str, Any]
    body: Mapping[str, Any]
    reason: str


async def show_server_cors(found: Page) -> Response:
    """The form for `watt.server.cors.*`."""
    return await _show(found, _SERVER_CORS)


async def show_gateway(found: Page) -> Response:
    """The form for the gateway's own settings."""
    return await _show(found, _GATEWAY)


async def preview_server_cors(found: Page) -> Response:
    """What saving the form would do."""
    return await _preview(found, _SERVER_CORS)


async def preview_gateway(found: Page) -> Response:
    """What saving the form would do."""
    return await _preview(found, _GATEWAY)


async def save_server_cors(found: Page) -> Response:
    """Save the form as a revision."""
    return await _save(found, _SERVER_CORS)


async def save_gateway(found: Page) -> Response:
    """Save the form as a revision."""
    return await _save(found, _GATEWAY)


async def _show(found: Page, edited: EditedObject) -> Response:
    current = await found.api.read("GET", edited.resource)
    raw = current.json
    groups = edited.groups(raw, raw)
    return await _render(found, edited, groups, current.etag, raw, refused(groups, ()))


async def _preview(found: Page, edited: EditedObject) -> Response:
    sent = await _sent(found, edited)
    groups = edited.groups(sent.body, sent.base)
    preview = await _plan(found, edited, sent.body, groups)
    if found.wants_part:
        status = await found.api.get("/v1/status")
        return found.fragment(
            "settings/preview.html",
            edited=edited,
            groups=groups,
            preview=preview,
            reason=sent.reason,
            frame=status,
        )
    return await _render(found, edited, groups, sent.etag, sent.base, preview, reason=sent.reason)


async def _save(found: Page, edited: EditedObject) -> Response:
    sent = await _sent(found, edited)
    headers = {"If-Match": sent.etag}
    answer = await found.api.call(
        "PUT", edited.resource, query={"message": sent.reason}, body=sent.body, headers=headers
    )
    if answer.ok:
        return found.redirect(f"{edited.url}?done={answer.revision}")
    if answer.status == HTTPStatus.PRECONDITION_FAILED:
        return await _show_conflict(found, edited, sent)
    return await _show_refused(found, edited, sent, answer)


async def _show_conflict(found: Page, edited: EditedObject, sent: _Sent) -> Response:
    """Both versions. The form has mine over theirs: saving it again keeps what only they changed."""
    theirs = await found.api.read("GET", edited.resource)
    merged = merge(sent.base, theirs.json, sent.body)
    groups = edited.groups(merged, theirs.json)
    preview = await _plan(found, edited, merged, groups)
    both = conflict(sent.base, theirs.json, sent.body)
    return await _render(
        found,
        edited,
        groups,
        theirs.etag,
        theirs.json,
        preview,
        status=HTTPStatus.CONFLICT,
        reason=sent.reason,
        both=both,
    )


async def _show_refused(
    found: Page, edited: EditedObject, sent: _Sent, answer: InProcessResponse
) -> Response:
    groups = edited.groups(sent.body, sent.base)
    preview = await _plan(found, edited, sent.body, groups)
    if preview.savable:  # what only the write is refused for, such as the caller's role
        raise ApiProblem(answer)
    return await _render(
        found, edited, groups, sent.etag, sent.base, preview, status=answer.status, reason=sent.reason
    )


async def _sent(found: Page, edited: EditedObject) -> _Sent:
    fields = await found.form()
    try:
        base = json.loads(fields.get("base", ""))
    except ValueError:
        base = None
    if not isinstance(base, dict):
        current = await found.api.read("GET", edited.resource)
        base = current.json
    body = read_form(edited.record, base, fields, edited.fixed)
    return _Sent(fields.get("etag", ""), base, body, fields.get("reason", ""))


async def _plan(
    found: Page, edited: EditedObject, body: Mapping[str, Any], groups: list[FormGroup]
) -> Preview:
    answer = await found.api.call("POST", "/v1/plan", body={edited.name: body})
    if answer.ok:
        file = (await found.api.read("POST", f"{edited.resource}/file-patch", body=body)).json
        return planned(groups, answer.json, file["file"])
    problem = ApiProblem(answer)
    if answer.status != HTTPStatus.UNPROCESSABLE_ENTITY:
        raise problem
    return refused(groups, problem.diagnostics)


async def _render(
    found: Page,
    edited: EditedObject,
    groups: list[FormGroup],
    etag: str,
    base: Mapping[str, Any],
    preview: Preview,
    *,
    status: int = HTTPStatus.OK,
    reason: str = "",
    both: Conflict | None = None,
) -> Response:
    return await found.show(
        "settings/object.html",
        title=edited.title,
        call=f"GET {edited.resource}",
        status=status,
        edited=edited,
        groups=groups,
        etag=etag,
        base=json.dumps(base),
        listen=base.get("listen", ""),
        preview=preview,
        reason=reason,
        conflict=both,
        writable=found.may(Role.ADMIN),
    )


routes: Final[list[BaseRoute]] = [
    page("/settings", show_server_cors),
    page("/settings", save_server_cors, methods=("POST",)),
    page("/settings/preview", preview_server_cors, methods=("POST",)),
    page("/settings/gateway", show_gateway),
    page("/settings/gateway", save_gateway, methods=("POST",)),
    page("/settings/gateway/preview", preview_gateway, methods=("POST",)),
]
