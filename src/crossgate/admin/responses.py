"""JSON responses with their etags, the revision that a write created, and the linter's findings for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final, TypeVar

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from crossgate.admin.etag_headers import is_cached, quoted
from crossgate.diagnostics import Diagnostic, Severity
from crossgate.lint.rule import Finding
from crossgate.service.etag import content_etag

REVISION: Final = "Crossgate-Revision"
MAX_FINDINGS: Final = 1000
"""Of the linter, in one response to a write: a change of an API can bring some for each application."""
MAX_DIAGNOSTICS: Final = 1000
"""Of a request's errors, in one response: each entry of a large body can bring one."""
_Shown = TypeVar("_Shown", bound=Diagnostic | Finding)
_NO_STORE: Final = {"Cache-Control": "no-store"}


def read_response(
    request: Request, body: BaseModel | Mapping[str, object], *, in_ascii: bool = False
) -> Response:
    """The response to a read, with the etag of its content; 304 if the client has it already."""
    values = _json_values(body)
    etag = content_etag(values)
    if is_cached(request.headers, etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": quoted(etag), **_NO_STORE})
    return json_response(values, etag=etag, in_ascii=in_ascii)


def json_response(
    body: BaseModel | Mapping[str, object],
    *,
    status: HTTPStatus = HTTPStatus.OK,
    etag: str | None = None,
    revision: int | None = None,
    in_ascii: bool = False,
) -> Response:
    """The response to anything else; ``revision`` is the newest revision after a write.

    ``in_ascii`` escapes all other characters: for content that requests sent, which may be no Unicode at all.
    """
    headers = dict(_NO_STORE)
    if etag is not None:
        headers["ETag"] = quoted(etag)
    if revision is not None:
        headers[REVISION] = str(revision)
    content = json.dumps(_json_values(body), ensure_ascii=in_ascii)
    return Response(content, status, media_type="application/json", headers=headers)


def deleted_response(revision: int) -> Response:
    """The response to a deletion: 204."""
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={REVISION: str(revision), **_NO_STORE})


def shown_findings(findings: Sequence[Finding]) -> Sequence[Finding]:
    """The findings for a response to a write: at most :data:`MAX_FINDINGS`, and the number of the others."""
    rest = findings[MAX_FINDINGS:]
    if not rest:
        return findings
    severities = {one.diagnostic.severity for one in rest}
    more = Diagnostic(
        code="more-findings",
        message=f"{len(rest):,} more findings, which are not listed",
        remedy="Fix or accept these first; a plan lists all",
        severity=next(one for one in Severity if one in severities),
    )
    return [*findings[:MAX_FINDINGS], Finding(more)]


def shown_diagnostics(diagnostics: Sequence[_Shown]) -> Sequence[_Shown | Diagnostic]:
    """The errors for a response: at most :data:`MAX_DIAGNOSTICS`, and the number of the others."""
    rest = len(diagnostics) - MAX_DIAGNOSTICS
    if rest <= 0:
        return diagnostics
    more = Diagnostic(
        code="more-errors",
        message=f"{rest:,} more errors, which are not listed",
        remedy="Fix these, then check again",
    )
    return [*diagnostics[:MAX_DIAGNOSTICS], more]


def _json_values(body: BaseModel | Mapping[str, object]) -> Mapping[str, object]:
    return body.model_dump(mode="json") if isinstance(body, BaseModel) else body
