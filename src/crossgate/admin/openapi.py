"""The OpenAPI 3.1 document: FastAPI's description of the routes, completed by what they have in common."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from crossgate.admin.auth import LIVENESS
from crossgate.admin.body import ModelBody
from crossgate.admin.errors import MEDIA_TYPE, ProblemBody
from crossgate.admin.responses import REVISION
from crossgate.catalogue.schema import object_schemas

_REFERENCE: Final = "#/components/schemas/"
_ABOUT: Final = """\
Reads and changes everything that a Crossgate gateway serves and enforces.

Every response to a read has an `ETag`. Every write must send it as `If-Match`: the response is 412 if the
object was changed in between, and 428 if the header is missing. A PUT can be repeated: it succeeds if the
object already has the desired state. Errors are Problem Details (RFC 9457) and list everything that is wrong.
"""
_READ_ONLY_POSTS: Final = frozenset({"/v1/explain", "/v1/check", "/v1/plan", "/v1/import"})
_FIND_BY_BODY_OR_QUERY: Final = frozenset({"/v1/explain", "/v1/export"})
"""Paths without parameters whose requests can still name something that does not exist."""
_EVENTS: Final = "/events"
"""Ends the paths of server-sent events."""
_WITHOUT_PRECONDITION: Final = ("/v1/tokens", "/dismiss", "/reopen")
"""Beginnings and ends of paths of what is written outside of the catalogue."""
_LINTED: Final = ("ApiEntry", "ApplicationEntry", "CorsEntry", "GatewayEntry", "SettingsEntry")
"""Objects whose writes return the linter's findings."""
_ERRORS: Final = {
    400: "The request is malformed.",
    401: "The token is missing or invalid.",
    403: "The token's role is insufficient, or the request comes from a page of another origin.",
    404: "The path names an object that does not exist.",
    409: "The current state does not allow the change, or the catalogue is read-only.",
    412: "The object was changed in between; `wanted` and `found` are the etags.",
    413: "The body is too large.",
    421: "The Host header does not name this API.",
    422: "The body or a parameter is invalid, or the request takes too long; `diagnostics` lists all errors.",
    428: "The write has no precondition.",
    429: "Too many failed authentications from this address, or too many waiting requests of this token.",
    503: "The store is unavailable, or too many requests wait; traffic and reads are not affected.",
}


def object_body(name: str) -> dict[str, Any]:
    """For a route: its request body is one object of that schema."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": _reference(name)}}}}


def document_body() -> dict[str, Any]:
    """For a route: its request body is a document, as YAML or JSON."""
    yaml = {"schema": {"type": "string"}, "example": "apis: []\n"}
    json_ = {"schema": {"type": "object"}, "example": {"apis": []}}
    return {
        "requestBody": {"required": True, "content": {"application/yaml": yaml, "application/json": json_}}
    }


def raw_body() -> dict[str, Any]:
    """For a route: its request body is a document of any kind."""
    return {"requestBody": {"required": True, "content": {"*/*": {"schema": {"type": "string"}}}}}


def object_response(name: str, description: str = "The object, as in a document.") -> dict[str, Any]:
    """For a route: its response is one object of that schema."""
    return {"description": description, "content": {"application/json": {"schema": _reference(name)}}}


def written_response(
    name: str, description: str = "The object, as in a document, and the linter's findings."
) -> dict[str, Any]:
    """For a route that writes: its response is the object, with findings if there are any."""
    return object_response(_linted(name), description)


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole document."""
    document = get_openapi(title=app.title, version=app.version, description=_ABOUT, routes=app.routes)
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas |= _object_schemas()
    schemas |= _model_schemas(ProblemBody)
    for route in app.routes:
        if isinstance(route, APIRoute):
            schemas |= _add_model_body(route, document["paths"][route.path])
    document["components"]["responses"] = {
        str(status): _problem(description) for status, description in _ERRORS.items()
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation)
    return document


def _object_schemas() -> dict[str, Any]:
    """The schemas of objects by their names: those of the document's own JSON Schema."""
    schemas: dict[str, Any] = dict(object_schemas(_REFERENCE))
    return schemas | {_linted(name): _with_findings(schemas[name]) for name in _LINTED}


def _model_schemas(model: type[BaseModel]) -> dict[str, Any]:
    """The schemas of a model and of those inside it, by their names."""
    schema = model.model_json_schema(ref_template=_REFERENCE + "{model}")
    return {**schema.pop("$defs", {}), model.__name__: schema}


def _add_model_body(route: APIRoute, operations: dict[str, Any]) -> dict[str, Any]:
    """Describe the body that the route reads by a :class:`ModelBody`; returns the schemas that this needs."""
    model = next((d.call.model for d in route.dependant.dependencies if isinstance(d.call, ModelBody)), None)
    if model is None:
        return {}
    for method in route.methods or ():
        operations[method.lower()] |= object_body(model.__name__)
    return _model_schemas(model)


def _linted(name: str) -> str:
    return f"Linted{name}"


def _with_findings(schema: dict[str, Any]) -> dict[str, Any]:
    findings = {
        "description": "The linter's findings for the change, or the first 1,000 and the number of the rest;"
        " omitted if there are none.",
        "type": "array",
        "items": _reference("DiagnosticBody"),
    }
    return {**schema, "properties": {**schema["properties"], "findings": findings}}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": _REFERENCE + name}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": _reference("ProblemBody")}}}


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    responses: dict[str, Any] = operation["responses"]
    for status in _error_statuses(path, method, operation):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    if path == LIVENESS:
        responses.pop("422", None)
        return
    if path.endswith(_EVENTS):
        parameters = operation.setdefault("parameters", [])
        parameters.append(_header("Last-Event-ID", "The id of the last event that the client got."))
        return
    if method == "get":
        if path != "/v1/export":
            parameters = operation.setdefault("parameters", [])
            parameters.append(_header("If-None-Match", "The etag of the content that the client has."))
            responses["304"] = {"description": "The client has the current content."}
        _add_response_header(responses, "ETag", "The etag of the content.")
    elif _has_precondition(path, method):
        parameters = operation.setdefault("parameters", [])
        parameters.append(_header("If-Match", "The etag of the last read, or `*`."))
        if method == "put" and responses.get("201"):
            parameters.append(_header("If-None-Match", "`*`: only create."))
        _add_response_header(responses, REVISION, "The newest revision after the write.")
        if method != "delete" or "{api_name}" in path:
            _add_response_header(responses, "ETag", "The etag of the new content.")


def _error_statuses(path: str, method: str, operation: dict[str, Any]) -> list[int]:
    if path == LIVENESS:
        return [400, 403, 421]
    statuses = [400, 401, 403, 421, 422, 429, 503]
    if "{" in path or path in _FIND_BY_BODY_OR_QUERY:
        statuses.append(404)
    if "requestBody" in operation:
        statuses.append(413)
    if method != "get" and path not in _READ_ONLY_POSTS:
        statuses.append(409)
    if _has_precondition(path, method):
        statuses += [412, 428]
    return sorted(statuses)


def _has_precondition(path: str, method: str) -> bool:
    is_outside = path.startswith(_WITHOUT_PRECONDITION) or path.endswith(_WITHOUT_PRECONDITION)
    return method != "get" and path not in _READ_ONLY_POSTS and not is_outside


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


def _add_response_header(responses: dict[str, Any], name: str, description: str) -> None:
    for status, response in responses.items():
        if status.startswith("2"):
            headers = response.setdefault("headers", {})
            headers[name] = {"description": description, "schema": {"type": "string"}}
