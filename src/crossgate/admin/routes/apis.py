"""Routes of APIs."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import Editor, Viewer
from crossgate.admin.body import JsonObject
from crossgate.admin.context import AdminContext, Context, Message
from crossgate.admin.paging import Cursor, Limit, page_of
from crossgate.admin.path_names import name_of, with_path_names
from crossgate.admin.responses import gone, made, seen
from crossgate.admin.schemas import gives, gives_linted, takes
from crossgate.admin.validation import routes_about
from crossgate.admin.writes import ConditionalWrite
from crossgate.catalogue.document import read_api as read_entry
from crossgate.catalogue.model import Api, ApiType
from crossgate.catalogue.serialise import api_to_dict
from crossgate.service.changes import DeleteApi, PutApi
from crossgate.service.errors import NotFound
from crossgate.service.etag import content_etag
from crossgate.service.objects import Kind

router = routes_about("APIs")
_ONE = "/v1/apis/{name}/{version}"


class PolicyFilter(StrEnum):
    """Which policy an API has."""

    NONE = "none"
    ENFORCE = "enforce"
    OBSERVE = "observe"


class ListedApi(BaseModel):
    """One API of a page."""

    key: str
    etag: str
    """What `If-Match` wants."""
    api: dict[str, Any]
    """As a document has it."""


class ApiPage(BaseModel):
    """APIs, by key."""

    items: list[ListedApi]
    next: str | None
    """The cursor of the next page; null on the last."""


@router.get("/v1/apis", response_model=ApiPage)
def list_apis(
    request: Request,
    context: Context,
    _: Viewer,
    *,
    limit: Limit = 50,
    cursor: Cursor = "",
    name: Annotated[str, Query(max_length=200, description="Part of the key, in any case.")] = "",
    type: Annotated[ApiType | None, Query(description="Of this type.")] = None,  # noqa: A002 - the field's name
    policy: Annotated[PolicyFilter | None, Query(description="With such a policy.")] = None,
) -> Response:
    """APIs in the order of their keys."""
    apis = context.head.catalogue.apis
    found, following = page_of(apis, context.api_keys.of(apis), cursor, limit, _wanted(name, type, policy))
    items = []
    for key, api in found:
        written = api_to_dict(api)
        items.append({"key": key, "etag": content_etag(written), "api": written})
    return seen(request, {"items": items, "next": following})


def _wanted(name: str, of_type: ApiType | None, policy: PolicyFilter | None) -> Callable[[Api], bool]:
    part = name.casefold()

    def wanted(api: Api) -> bool:
        mode = "none" if api.cors is None else api.cors.mode.value
        return (
            part in api.key.casefold()
            and (of_type is None or api.type is of_type)
            and (policy is None or policy.value == mode)
        )

    return wanted


@router.get(_ONE, responses={200: gives("ApiEntry")}, response_class=Response)
def read_api(request: Request, context: Context, _: Viewer, name: str, version: str) -> Response:
    """One API, its policy included."""
    return seen(request, api_to_dict(find_api(context, name, version)))


@router.put(
    _ONE,
    responses={200: gives_linted("ApiEntry"), 201: gives_linted("ApiEntry", "It is new.")},
    response_class=Response,
    openapi_extra=takes("ApiEntry"),
)
def put_api(
    request: Request,
    context: Context,
    caller: Editor,
    name: str,
    version: str,
    body: JsonObject,
    message: Message = "",
) -> Response:
    """Create the API or replace it, policy included. Name and version may be left out of the body."""
    api = read_entry(with_path_names(body, {"name": name, "version": version}))
    written = api_to_dict(api)
    write, path = ConditionalWrite(context, request, caller, message), ("apis", api.key)
    done = write.put(PutApi(api), (Kind.API, api.key), written, path)
    new = done is not None and bool(done.plan.added)
    return made(
        write.body(written, done, (Kind.API, api.key), path),
        status=HTTPStatus.CREATED if new else HTTPStatus.OK,
        tag=content_etag(written),
        revision=write.revision(done),
    )


@router.delete(_ONE, status_code=204, response_class=Response)
def delete_api(
    request: Request, context: Context, caller: Editor, name: str, version: str, message: Message = ""
) -> Response:
    """Remove the API; refused while an application is associated with it."""
    key = find_api(context, name, version).key
    done = ConditionalWrite(context, request, caller, message).make(DeleteApi(key), (Kind.API, key))
    return gone(done.head.revision)


def find_api(context: AdminContext, name: str, version: str) -> Api:
    """The API of that name and version.

    Raises:
        NotFound: there is none.

    """
    key = f"{name_of(name)}/{name_of(version)}"
    api = context.head.catalogue.apis.get(key)
    if api is None:
        raise NotFound("API", key)
    return api
