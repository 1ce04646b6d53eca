"""The OpenAPI 3.1 document: what FastAPI derives from the routes, and what they all have in common."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from crossgate.admin.auth import LIVENESS
from crossgate.admin.errors import MEDIA_TYPE, ProblemBody
from crossgate.admin.responses import REVISION
from crossgate.admin.schemas import object_schemas, reference

_ABOUT: Final = """\
Reads and changes everything that a Crossgate gateway serves and enforces.

Every answer to a read has an `ETag`; every write wants it back as `If-Match`, and is refused with 412 if what
it changes was changed meanwhile, with 428 if it says nothing. A PUT that finds what it wants is right,
however often it is repeated. What is refused says why, all at once, as Problem Details.
"""
_WORKS_OUT: Final = frozenset({"/v1/explain", "/v1/check", "/v1/plan"})
"""POST, and nothing changes."""
_NAMES_WHAT_MAY_BE_ABSENT: Final = frozenset({"/v1/explain", "/v1/export"})
_WHY: Final = {
    400: "The request cannot be understood.",
    401: "No token, or none that works.",
    403: "The token's role does not include this, or a page of another origin asks.",
    404: "What the path names is not there.",
    409: "This cannot be done while things are as they are; or the gateway's only source is a file.",
    412: "What is to be changed was changed meanwhile; `wanted` and `found` are the tags.",
    413: "The body is too large.",
    421: "The API does not answer to this Host.",
    422: "Something is wrong with what the request says; `diagnostics` has all of it.",
    428: "The write does not say which state it changes.",
    429: "Too many tokens that do not work were tried from there.",
    503: "The store is unavailable; what is served goes on being served.",
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole document."""
    document = get_openapi(title=app.title, version=app.version, description=_ABOUT, routes=app.routes)
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas |= object_schemas()
    # Name and version, which the path has, may be left out of a body.
    problem = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs")
    schemas["ProblemBody"] = problem
    document["components"]["responses"] = {str(status): _problem(why) for status, why in _WHY.items()}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation)
    return document


def _problem(why: str) -> dict[str, Any]:
    return {"description": why, "content": {MEDIA_TYPE: {"schema": reference("ProblemBody")}}}


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    responses: dict[str, Any] = operation["responses"]
    for status in _refusals(path, method, operation):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    if path == LIVENESS:
        responses.pop("422", None)
        return
    if method == "get":
        if path != "/v1/export":
            operation.setdefault("parameters", []).append(_header("If-None-Match", "What is known already."))
            responses["304"] = {"description": "It is what is known already."}
        _give(responses, "ETag", "The tag of what is answered.")
    elif _wants_tag(path, method):
        parameters = operation.setdefault("parameters", [])
        parameters.append(_header("If-Match", "The tag that was read, or `*`."))
        if method == "put" and responses.get("201"):
            parameters.append(_header("If-None-Match", "`*`: only if it is not there."))
        _give(responses, REVISION, "The newest revision afterwards.")
        if method != "delete" or "{api_name}" in path:
            _give(responses, "ETag", "The tag of what is there now.")


def _refusals(path: str, method: str, operation: dict[str, Any]) -> list[int]:
    if path == LIVENESS:
        return [400, 403, 421]
    found = [400, 401, 403, 421, 422, 429, 503]
    if "{" in path or path in _NAMES_WHAT_MAY_BE_ABSENT:
        found.append(404)
    if "requestBody" in operation:
        found.append(413)
    if method != "get" and path not in _WORKS_OUT:
        found.append(409)
    if _wants_tag(path, method):
        found += [412, 428]
    return sorted(found)


def _wants_tag(path: str, method: str) -> bool:
    return method != "get" and path not in _WORKS_OUT and not path.startswith("/v1/tokens")


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


def _give(responses: dict[str, Any], name: str, description: str) -> None:
    for status, response in responses.items():
        if status.startswith("2"):
            headers = response.setdefault("headers", {})
            headers[name] = {"description": description, "schema": {"type": "string"}}
