"""Errors of the admin API, all answered as Problem Details (RFC 9457, https://www.rfc-editor.org/rfc/rfc9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from crossgate.admin.body import BodyTooLarge, MalformedBody, invalid_parameter
from crossgate.admin.etag_headers import MalformedEtag, PreconditionRequired, quoted, revision_etag
from crossgate.admin.responses import shown_diagnostics, shown_findings
from crossgate.admin.workers import WorkRefused
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.lint.rule import Finding
from crossgate.service.errors import (
    BaseMoved,
    ConfirmationNeeded,
    Forbidden,
    InvalidChange,
    LintErrors,
    NotFound,
    PreconditionFailed,
    ReadOnly,
    ServiceError,
    StoreUnavailable,
    SuggestionMoved,
    Unconfirmed,
)
from crossgate.service.permission import Role
from crossgate.service.tokens import Token

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 5
"""``Retry-After`` of a write that failed because the store is unavailable."""
_TYPE_PREFIX: Final = "urn:crossgate:problem:"


class DiagnosticBody(BaseModel):
    """One error, warning or hint."""

    code: str
    """Stable; for programs."""
    severity: str
    message: str
    found: str | None
    remedy: str
    path: str
    """JSONPath into the request's body. Paths to other objects of the catalogue begin with `$.apis[…]` or
    `$.applications[…]`, by key."""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    witness: str | None = None
    """An origin that is allowed and should not be, if the linter found one."""
    fix: str | None = None
    """A replacement that the linter has verified, if there is one."""


class ProblemBody(BaseModel):
    """Why a request failed; nothing was changed."""

    type: str
    title: str
    status: int
    detail: str
    diagnostics: list[DiagnosticBody] = Field(default=[])
    """Every reason, not only the first; of more than 1,000, the first 1,000 and the number of the others."""
    wanted: list[str] | None = None
    """With 412: the etags that the request accepted; null if the object was expected not to exist."""
    found: str | None = None
    """With 412: the current etag; null if the object does not exist."""
    confirmation: list[DiagnosticBody] | None = None
    """With 409 and the type `unconfirmed`: what `confirm=true` confirms, as in the plan."""


class TokenLimited(Forbidden):
    """The operation shows or changes the whole catalogue, and the token is limited to some APIs."""

    def __init__(self, token: Token) -> None:
        super().__init__(
            [
                Diagnostic(
                    code="token-limited",
                    message="this operation concerns the whole catalogue, and the token is limited",
                    remedy="Use a token without that limit",
                    found=f"{', '.join(token.apis)}, the APIs of the token {token.name}",
                )
            ]
        )


class RoleInsufficient(Forbidden):
    """The token's role does not include the operation."""

    def __init__(self, required: Role, token: Token) -> None:
        super().__init__(
            [
                Diagnostic(
                    code="role-insufficient",
                    message=f"this operation requires the role {required.value}",
                    remedy="Use a token with that role",
                    found=f"{token.role.value}, the role of the token {token.name}",
                )
            ]
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """One error response; its code and its detail are those of the first diagnostic."""

    status: HTTPStatus
    diagnostics: Sequence[Diagnostic | Finding]
    extra: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The problem as a response."""
        first = self.diagnostics[0]
        first = first.diagnostic if isinstance(first, Finding) else first
        found = f" (found {first.found})" if first.found is not None else ""
        body = {
            "type": f"{_TYPE_PREFIX}{first.code}",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": f"{first.message}{found}. {first.remedy}",
            "diagnostics": [one.as_json() for one in self.diagnostics],
            **self.extra,
        }
        return Response(
            json.dumps(body, ensure_ascii=True),
            self.status,
            media_type=MEDIA_TYPE,
            headers={"Cache-Control": "no-store", **self.headers},
        )


def refusal(error: ServiceError) -> Response:
    """The response to an error outside of the routes."""
    return _from_service_error(error).response()


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error that a route raises as a problem."""
    for error in (ServiceError, InvalidInput, RequestValidationError, HTTPException):
        app.add_exception_handler(error, _handle)


async def _handle(request: Request, error: Exception) -> Response:
    match error:
        case ServiceError():
            problem = _from_service_error(error)
        case InvalidInput(diagnostics=diagnostics):
            problem = Problem(HTTPStatus.UNPROCESSABLE_ENTITY, shown_diagnostics(diagnostics))
        case RequestValidationError():
            found = [invalid_parameter(one) for one in error.errors()]
            problem = Problem(HTTPStatus.UNPROCESSABLE_ENTITY, shown_diagnostics(found))
        case HTTPException():
            problem = _from_http_exception(request, error)
        case _:  # pragma: no cover - it is registered for those above only
            raise error
    return problem.response()


def _from_service_error(error: ServiceError) -> Problem:
    extra: dict[str, object] = {}
    headers: dict[str, str] = {}
    match error:
        case PreconditionFailed(wanted=wanted, found=found):
            extra = {"wanted": None if wanted is None else list(wanted), "found": found}
            headers = {} if found is None else {"ETag": quoted(found)}
        case BaseMoved(base=base, head=head):
            extra = {"wanted": [revision_etag(base)], "found": revision_etag(head)}
            headers = {"ETag": quoted(revision_etag(head))}
        case Unconfirmed(reasons=reasons):
            extra = {"confirmation": [one.as_json() for one in reasons]}
        case StoreUnavailable():
            headers = {"Retry-After": str(RETRY_SECONDS)}
        case WorkRefused(retry_seconds=int(seconds)):
            headers = {"Retry-After": str(seconds)}
        case _:
            pass
    diagnostics: Sequence[Diagnostic | Finding]
    if isinstance(error, LintErrors):
        diagnostics = shown_findings(error.findings)
    else:
        diagnostics = shown_diagnostics(error.diagnostics)
    return Problem(_status(error), diagnostics, extra, headers)


def _status(error: ServiceError) -> HTTPStatus:
    match error:
        case MalformedBody() | MalformedEtag():
            return HTTPStatus.BAD_REQUEST
        case Forbidden():
            return HTTPStatus.FORBIDDEN
        case BodyTooLarge():
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        case PreconditionRequired():
            return HTTPStatus.PRECONDITION_REQUIRED
        case NotFound():
            return HTTPStatus.NOT_FOUND
        case PreconditionFailed() | BaseMoved() | SuggestionMoved():
            return HTTPStatus.PRECONDITION_FAILED
        case ReadOnly() | Unconfirmed():
            return HTTPStatus.CONFLICT
        case StoreUnavailable():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case WorkRefused(status=status):
            return status
        case LintErrors() | ConfirmationNeeded():
            return HTTPStatus.UNPROCESSABLE_ENTITY
        case InvalidChange() if not all(one.code == "api-in-use" for one in error.diagnostics):
            return HTTPStatus.UNPROCESSABLE_ENTITY
        case _:
            return HTTPStatus.CONFLICT


def _from_http_exception(request: Request, error: HTTPException) -> Problem:
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "-")
    headers = dict(error.headers or {})
    match status:
        case HTTPStatus.NOT_FOUND:
            diagnostic = Diagnostic(code, "no such path", "See GET /openapi.json for the paths")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = ", ".join(_allowed_methods(request))
            headers["Allow"] = allowed
            diagnostic = Diagnostic(
                code, "method not allowed for this path", f"Use one of: {allowed}", found=request.method
            )
        case _:
            diagnostic = Diagnostic(code, str(error.detail), "See GET /openapi.json for what is allowed")
    return Problem(status, [diagnostic], headers=headers)


def _allowed_methods(request: Request) -> list[str]:
    """The methods of all routes at the path; Starlette names those of the first one only."""
    return sorted(
        {
            method
            for route in request.app.routes
            if isinstance(route, Route) and route.path_regex.fullmatch(request.scope["path"])
            for method in route.methods or ()
        }
    )
