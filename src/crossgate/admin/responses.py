"""JSON responses with their etags, and the revision that a write created."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from crossgate.admin.etag_headers import is_cached, quoted
from crossgate.service.etag import content_etag

REVISION: Final = "Crossgate-Revision"
_NO_STORE: Final = {"Cache-Control": "no-store"}


def read_response(request: Request, body: BaseModel | Mapping[str, object]) -> Response:
    """The response to a read, with the etag of its content; 304 if the client has it already."""
    values = _json_values(body)
    etag = content_etag(values)
    if is_cached(request.headers, etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": quoted(etag), **_NO_STORE})
    return json_response(values, etag=etag)


def json_response(
    body: BaseModel | Mapping[str, object],
    *,
    status: HTTPStatus = HTTPStatus.OK,
    etag: str | None = None,
    revision: int | None = None,
) -> Response:
    """The response to anything else; ``revision`` is the newest revision after a write."""
    headers = dict(_NO_STORE)
    if etag is not None:
        headers["ETag"] = quoted(etag)
    if revision is not None:
        headers[REVISION] = str(revision)
    content = json.dumps(_json_values(body), ensure_ascii=False)
    return Response(content, status, media_type="application/json", headers=headers)


def deleted_response(revision: int) -> Response:
    """The response to a deletion: 204."""
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={REVISION: str(revision), **_NO_STORE})


def _json_values(body: BaseModel | Mapping[str, object]) -> Mapping[str, object]:
    return body.model_dump(mode="json") if isinstance(body, BaseModel) else body
