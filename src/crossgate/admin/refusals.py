"""What a refused use case is in HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from crossgate.admin.body import Malformed, TooLarge
from crossgate.admin.errors import Problem
from crossgate.admin.etag_headers import MalformedTag, PreconditionRequired, quoted, revision_tag
from crossgate.diagnostics import Diagnostic
from crossgate.service.errors import (
    BaseMoved,
    InvalidChange,
    LintErrors,
    NotFound,
    PreconditionFailed,
    ReadOnly,
    ServiceError,
    StoreUnavailable,
)

RETRY_SECONDS = 5
"""When to try again a write that the store could not take."""


def problem_of(refusal: ServiceError) -> Problem:
    """The problem that says why; with every diagnostic."""
    status = _status(refusal)
    first = refusal.diagnostics[0]
    match refusal:
        case PreconditionFailed(wanted=wanted, found=found):
            extra: dict[str, object] = {"wanted": None if wanted is None else list(wanted), "found": found}
            headers = {} if found is None else {"ETag": quoted(found)}
        case BaseMoved(base=base, head=head):
            extra = {"wanted": [revision_tag(base)], "found": revision_tag(head)}
            headers = {"ETag": quoted(revision_tag(head))}
        case StoreUnavailable():
            extra, headers = {}, {"Retry-After": str(RETRY_SECONDS)}
        case _:
            extra, headers = {}, {}
    said = refusal.findings if isinstance(refusal, LintErrors) else refusal.diagnostics
    return Problem(status, first.code, _detail(first), said, extra, headers)


def _status(refusal: ServiceError) -> HTTPStatus:
    match refusal:
        case Malformed() | MalformedTag():
            return HTTPStatus.BAD_REQUEST
        case TooLarge():
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        case PreconditionRequired():
            return HTTPStatus.PRECONDITION_REQUIRED
        case NotFound():
            return HTTPStatus.NOT_FOUND
        case PreconditionFailed() | BaseMoved():
            return HTTPStatus.PRECONDITION_FAILED
        case ReadOnly():
            return HTTPStatus.CONFLICT
        case StoreUnavailable():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case LintErrors():
            return HTTPStatus.UNPROCESSABLE_ENTITY
        case InvalidChange() if not all(one.code == "api-in-use" for one in refusal.diagnostics):
            return HTTPStatus.UNPROCESSABLE_ENTITY
        case _:
            return HTTPStatus.CONFLICT


def unprocessable(diagnostics: Sequence[Diagnostic]) -> Problem:
    """The problem with a body or a parameter that has errors."""
    first = diagnostics[0]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, first.code, _detail(first), diagnostics)


def _detail(first: Diagnostic) -> str:
    found = f" (found {first.found})" if first.found is not None else ""
    return f"{first.message}{found}. {first.remedy}"
