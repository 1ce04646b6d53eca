"""Routes of the CORS policy of an API."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from crossgate.admin.auth import Viewer
from crossgate.admin.body import JsonObject
from crossgate.admin.context import Context, resource_router
from crossgate.admin.openapi import object_body, object_response, written_response
from crossgate.admin.responses import read_response
from crossgate.admin.routes.apis import find_api
from crossgate.admin.writes import Write
from crossgate.diagnostics import InvalidInput
from crossgate.policy import read_policy as parse_policy
from crossgate.service.changes import PutPolicy, RemovePolicy
from crossgate.service.errors import NotFound
from crossgate.service.etag import PolicyOf

router = resource_router("Policies")
_PATH = "/v1/apis/{name}/{version}/policy"


@router.get(_PATH, responses={200: object_response("CorsEntry")}, response_class=Response)
def read_policy(request: Request, context: Context, caller: Viewer, name: str, version: str) -> Response:
    """The policy of an API; 404 if the API has none and passes all requests through."""
    api = find_api(context.view(caller).catalogue, name, version)
    if api.cors is None:
        raise NotFound("policy", api.key)
    return read_response(request, api.cors.to_dict())


@router.put(
    _PATH,
    responses={
        200: written_response("CorsEntry"),
        201: written_response("CorsEntry", "The API had no policy before."),
    },
    response_class=Response,
    openapi_extra=object_body("CorsEntry"),
)
def put_policy(write: Write, name: str, version: str, body: JsonObject) -> Response:
    """Set or replace the policy of an API. Whatever the body does not list is not allowed."""
    key = find_api(write.view, name, version).key
    policy, diagnostics = parse_policy(body)
    if diagnostics:
        raise InvalidInput(diagnostics)
    return write.put(PutPolicy(key, policy), PolicyOf(key), policy.to_dict())


@router.delete(_PATH, status_code=204, response_class=Response)
def delete_policy(write: Write, name: str, version: str) -> Response:
    """Remove the policy of an API. All requests then pass through, with the native service's CORS headers."""
    api = find_api(write.view, name, version)
    if api.cors is None:
        raise NotFound("policy", api.key)
    return write.delete(RemovePolicy(api.key), PolicyOf(api.key))
