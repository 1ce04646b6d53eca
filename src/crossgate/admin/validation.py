"""What FastAPI finds wrong with parameters, and with the few bodies that it reads, as diagnostics."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError

from crossgate.catalogue.document.shape_errors import as_found, unknown_key
from crossgate.diagnostics import Diagnostic, InvalidInput, Place


async def known_parameters(request: Request) -> None:
    """See that the request has no query parameter that nobody reads: a mistyped one would be overlooked.

    Raises:
        InvalidInput: with every such parameter.

    """
    known = _names(request.scope["route"].dependant)
    unknown = [unknown_key(("query", name), known) for name in request.query_params if name not in known]
    if unknown:
        raise InvalidInput(unknown)


def routes_about(subject: str) -> APIRouter:
    """For the routes of a module, all of which know their query parameters."""
    return APIRouter(tags=[subject], dependencies=[Depends(known_parameters)])


def _names(dependant: Dependant) -> set[str]:
    inner = (name for one in dependant.dependencies for name in _names(one))
    return {one.alias for one in dependant.query_params}.union(inner)


def validation_findings(invalid: RequestValidationError) -> list[Diagnostic]:
    """Every complaint; those about the body have places in it, others begin with ``query`` or ``path``."""
    return [_finding(error) for error in invalid.errors()]


def _finding(error: dict[str, object]) -> Diagnostic:
    location = error.get("loc")
    steps = tuple(location) if isinstance(location, tuple | list) else ()
    path = steps[1:] if steps[:1] == ("body",) else steps
    if error.get("type") == "json_invalid":
        return Diagnostic("body-malformed", "the body is no JSON", "Send UTF-8 JSON with one object")
    return Diagnostic(
        code="parameter-invalid",
        message=str(error.get("msg", "invalid")),
        remedy="Write what the API's description allows: GET /openapi.json",
        place=Place(path),
        found=None if error.get("type") == "missing" else as_found(error.get("input")),
    )
