"""Reading the description of a request from what somebody pastes."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Final

from fastapi import Depends
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from crossgate.admin.auth import Viewer
from crossgate.admin.body import ModelBody
from crossgate.admin.context import Context, resource_router
from crossgate.admin.responses import json_response
from crossgate.catalogue.endpoint_index import resolve_api
from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.service.refusal_query import RefusalOrder, RefusalQuery
from crossgate.service.request_text import MAX_TEXT, RequestText, TextKind, parse_request_text

router = resource_router("Explain")
_MOST_GROUPS: Final = 100


class PastedText(BaseModel):
    """A pasted string: a URL, a curl command, a call of fetch, an HTTP request, or a browser's error."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(description="At most 64 KiB.")


class LikeRefusal(BaseModel):
    """The newest refusal of the origin, which has what the text has not."""

    group: str
    taken: list[str]
    """`api`, `method`, `headers`: what is from there."""


class ReadRequestBody(BaseModel):
    """The request that the text describes: fields for `/v1/explain`, with `script: true`."""

    kind: TextKind
    read: list[str]
    """What the text has: `api`, `path`, `host`, `origin`, `method`, `headers`."""
    api: str
    path: str
    host: str
    origin: str
    method: str
    request_headers: str
    content_type: str
    sec_fetch_site: str
    ignored: list[str]
    """Names of headers and parts that were dropped."""
    refusal: LikeRefusal | None


@router.post("/v1/explain/parse", response_model=ReadRequestBody)
def parse_pasted_request(
    context: Context, caller: Viewer, body: Annotated[PastedText, Depends(ModelBody(PastedText))]
) -> Response:
    """The request that a pasted text describes. Values of headers, cookies and bodies are dropped."""
    if len(body.text) > MAX_TEXT:
        raise InvalidInput([_too_long()])
    found = parse_request_text(body.text)
    api = ""
    if found.path:
        with suppress(InvalidInput):
            api = resolve_api(context.view(caller).catalogue.apis, "", found.path)
    read = [*(["api"] if api else []), *found.read()]
    headers = ",".join(found.headers)
    made = ReadRequestBody(
        kind=found.kind,
        read=read,
        api=api,
        path=found.path,
        host=found.host,
        origin=found.origin,
        method=found.method,
        request_headers=headers,
        content_type=found.content_type,
        sec_fetch_site=found.sec_fetch_site,
        ignored=sorted(set(found.ignored)),
        refusal=None,
    )
    if found.origin and not (found.method and found.headers_known):
        made = _joined(context, caller, made, found)
    return json_response(made)


def _too_long() -> Diagnostic:
    """Without the text: it can have secrets."""
    return Diagnostic(
        "text-too-long",
        "the text is longer than 64 KiB",
        "Send the head of the request only",
        place=Place(("text",)),
    )


def _joined(context: Context, caller: Viewer, made: ReadRequestBody, found: RequestText) -> ReadRequestBody:
    """The request with what the newest refusal of its origin has and the text has not."""
    query = RefusalQuery(api=made.api, origin=found.origin)
    judged = context.refusals.find_some(
        query, caller.permission, RefusalOrder.RECENT, limit=_MOST_GROUPS
    ).groups
    keys = [one.group.key for one in judged]
    groups = [key for key in keys if key.origin == found.origin and found.method in ("", key.method)]
    if not groups:
        return made
    key = groups[0]
    changed: dict[str, object] = {}
    if not made.api and not made.path and key.api in context.view(caller).catalogue.apis:
        changed["api"] = key.api
    if not made.method and key.method:
        changed["method"] = key.method
    if not made.request_headers and not found.headers_known and key.headers:
        changed["request_headers"] = ",".join(key.headers)
    taken = ["headers" if name == "request_headers" else name for name in changed]
    return made.model_copy(update={**changed, "refusal": LikeRefusal(group=key.id, taken=taken)})
