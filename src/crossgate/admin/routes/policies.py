"""Routes of the policy of an API."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Request
from fastapi.responses import Response

from crossgate.admin.auth import Editor, Viewer
from crossgate.admin.body import JsonObject
from crossgate.admin.context import Context, Message
from crossgate.admin.responses import gone, made, seen
from crossgate.admin.routes.apis import find_api
from crossgate.admin.schemas import gives, gives_linted, takes
from crossgate.admin.validation import routes_about
from crossgate.admin.writes import ConditionalWrite
from crossgate.catalogue.model import Api
from crossgate.diagnostics import InvalidInput
from crossgate.policy import read_policy
from crossgate.service.changes import PutPolicy, RemovePolicy
from crossgate.service.errors import NotFound
from crossgate.service.etag import PolicyOf, content_etag
from crossgate.service.objects import Difference, Kind

router = routes_about("Policies")
_POLICY = "/v1/apis/{name}/{version}/policy"


@router.get(_POLICY, responses={200: gives("CorsEntry")}, response_class=Response)
def show_policy(request: Request, context: Context, _: Viewer, name: str, version: str) -> Response:
    """The policy of an API; 404 if everything passes through to its native service."""
    api = find_api(context, name, version)
    if api.cors is None:
        raise NotFound("policy", api.key)
    return seen(request, api.cors.to_dict())


@router.put(
    _POLICY,
    responses={200: gives_linted("CorsEntry"), 201: gives_linted("CorsEntry", "The API had none.")},
    response_class=Response,
    openapi_extra=takes("CorsEntry"),
)
def put_policy(
    request: Request,
    context: Context,
    caller: Editor,
    name: str,
    version: str,
    body: JsonObject,
    message: Message = "",
) -> Response:
    """Give the API this policy. What the body does not list is not allowed."""
    key = find_api(context, name, version).key
    policy, diagnostics = read_policy(body)
    if diagnostics:
        raise InvalidInput(diagnostics)
    written = policy.to_dict()
    write, path = ConditionalWrite(context, request, caller, message), ("apis", key, "cors")
    done = write.put(PutPolicy(key, policy), PolicyOf(key), written, path)
    return made(
        write.body(written, done, (Kind.API, key), path),
        status=HTTPStatus.CREATED if done is not None and _had_none(done.plan.difference) else HTTPStatus.OK,
        tag=content_etag(written),
        revision=write.revision(done),
    )


@router.delete(_POLICY, status_code=204, response_class=Response)
def remove_policy(
    request: Request, context: Context, caller: Editor, name: str, version: str, message: Message = ""
) -> Response:
    """Let everything pass through to the native service. This opens the API: its own CORS answers again."""
    api = find_api(context, name, version)
    if api.cors is None:
        raise NotFound("policy", api.key)
    done = ConditionalWrite(context, request, caller, message).make(RemovePolicy(api.key), PolicyOf(api.key))
    return gone(done.head.revision)


def _had_none(difference: Difference) -> bool:
    return any(isinstance(one.before, Api) and one.before.cors is None for one in difference)
