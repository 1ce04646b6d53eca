"""The form of what goes back: JSON with a tag, and the number of the revision that a write made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from crossgate.admin.etag_headers import is_seen, quoted
from crossgate.service.etag import content_etag

REVISION: Final = "Crossgate-Revision"
_NOT_KEPT: Final = {"Cache-Control": "no-store"}


def seen(request: Request, body: BaseModel | Mapping[str, object], tag: str | None = None) -> Response:
    """What was asked for, with its tag: of its content unless given; 304 if the request has it already."""
    loose = body.model_dump(mode="json") if isinstance(body, BaseModel) else body
    tag = content_etag(loose) if tag is None else tag
    if is_seen(request.headers, tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": quoted(tag), **_NOT_KEPT})
    return made(loose, tag=tag)


def made(
    body: BaseModel | Mapping[str, object],
    *,
    status: HTTPStatus = HTTPStatus.OK,
    tag: str | None = None,
    revision: int | None = None,
) -> Response:
    """What became of a write, or what was worked out."""
    loose = body.model_dump(mode="json") if isinstance(body, BaseModel) else body
    headers = dict(_NOT_KEPT)
    if tag is not None:
        headers["ETag"] = quoted(tag)
    if revision is not None:
        headers[REVISION] = str(revision)
    return Response(
        json.dumps(loose, ensure_ascii=False), status, media_type="application/json", headers=headers
    )


def gone(revision: int) -> Response:
    """There is nothing left to show."""
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={REVISION: str(revision), **_NOT_KEPT})
