"""Problem Details (RFC 9457): the one form in which the admin API says no."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from pydantic import BaseModel, Field
from starlette.responses import Response

from crossgate.diagnostics import Diagnostic
from crossgate.lint import rule as linter

MEDIA_TYPE: Final = "application/problem+json"
_TYPE_BASE: Final = "urn:crossgate:problem:"


class Finding(BaseModel):
    """One thing that is wrong."""

    code: str
    """Stable; for programs."""
    severity: str
    message: str
    found: str | None
    remedy: str
    path: str
    """JSONPath into the request's body; what stands elsewhere in the catalogue begins with `$.apis[…]` or
    `$.applications[…]`, by key."""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    witness: str | None = None
    """An origin that is admitted and should not be, if the linter found one."""
    fix: str | None = None
    """What to write instead, if the linter has verified something."""


class ProblemBody(BaseModel):
    """Why a request was refused; nothing was changed."""

    type: str
    title: str
    status: int
    detail: str
    diagnostics: list[Finding] = Field(default=[])
    """Every reason, not only the first."""
    wanted: list[str] | None = None
    """With 412: the tags that the request would have accepted; null if there should have been nothing."""
    found: str | None = None
    """With 412: the tag that there is; null if there is nothing."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal, before it is an answer."""

    status: HTTPStatus
    code: str
    detail: str
    diagnostics: Sequence[Diagnostic | linter.Finding] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer that says so."""
        body = {
            "type": f"{_TYPE_BASE}{self.code}",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            "diagnostics": [finding.as_json() for finding in self.diagnostics],
            **self.extra,
        }
        return Response(
            json.dumps(body, ensure_ascii=True),
            self.status,
            media_type=MEDIA_TYPE,
            headers={"Cache-Control": "no-store", **self.headers},
        )
