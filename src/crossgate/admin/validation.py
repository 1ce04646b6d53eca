"""What FastAPI finds wrong with parameters, and with the few bodies that it reads, as diagnostics."""

from __future__ import annotations

from fastapi.exceptions import RequestValidationError

from crossgate.catalogue.document.faults import as_found
from crossgate.diagnostics import Diagnostic, Place


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
