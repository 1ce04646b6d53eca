"""Routes of applications: their origins, their associations, and whether they count."""

from __future__ import annotations

from collections.abc import Callable
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
from crossgate.catalogue.document import read_application as read_entry
from crossgate.catalogue.model import Application
from crossgate.catalogue.serialise import application_to_dict
from crossgate.service.changes import (
    Associate,
    Change,
    DeleteApplication,
    Dissociate,
    PutApplication,
    ResumeApplication,
    SuspendApplication,
)
from crossgate.service.errors import NotFound
from crossgate.service.etag import content_etag
from crossgate.service.objects import Kind

router = routes_about("Applications")
_ONE = "/v1/applications/{name}"
_ASSOCIATION = "/v1/applications/{name}/apis/{api_name}/{api_version}"
_WRITTEN = gives_linted("ApplicationEntry")


class ListedApplication(BaseModel):
    """One application of a page."""

    name: str
    etag: str
    """What `If-Match` wants."""
    application: dict[str, Any]
    """As a document has it."""


class ApplicationPage(BaseModel):
    """Applications, by name."""

    items: list[ListedApplication]
    next: str | None
    """The cursor of the next page; null on the last."""


@router.get("/v1/applications", response_model=ApplicationPage)
def list_applications(
    request: Request,
    context: Context,
    _: Viewer,
    *,
    limit: Limit = 50,
    cursor: Cursor = "",
    name: Annotated[str, Query(max_length=200, description="Part of the name, in any case.")] = "",
    api: Annotated[str, Query(max_length=500, description="Associated with this API (`name/version`).")] = "",
    origin: Annotated[str, Query(max_length=500, description="With this JavaScript origin.")] = "",
    suspended: Annotated[bool | None, Query(description="Only those that are, or are not.")] = None,
) -> Response:
    """Applications in the order of their names."""
    applications = context.head.catalogue.applications
    names = context.application_names.of(applications)
    wanted = _wanted(name, api, origin, suspended=suspended)
    found, following = page_of(applications, names, cursor, limit, wanted)
    items = []
    for key, application in found:
        written = application_to_dict(application)
        items.append({"name": key, "etag": content_etag(written), "application": written})
    return seen(request, {"items": items, "next": following})


def _wanted(name: str, api: str, origin: str, *, suspended: bool | None) -> Callable[[Application], bool]:
    part = name.casefold()

    def wanted(application: Application) -> bool:
        return (
            (not part or part in application.name.casefold())
            and (not api or api in application.apis)
            and (not origin or origin in application.javascript_origins)
            and (suspended is None or application.suspended is suspended)
        )

    return wanted


@router.get(_ONE, responses={200: gives("ApplicationEntry")}, response_class=Response)
def show_application(request: Request, context: Context, _: Viewer, name: str) -> Response:
    """One application."""
    return seen(request, application_to_dict(_find(context, name)))


@router.put(
    _ONE,
    responses={200: _WRITTEN, 201: gives_linted("ApplicationEntry", "It is new.")},
    response_class=Response,
    openapi_extra=takes("ApplicationEntry"),
)
def put_application(
    request: Request, context: Context, caller: Editor, name: str, body: JsonObject, message: Message = ""
) -> Response:
    """Create the application or replace it. The name may be left out of the body."""
    application = read_entry(with_path_names(body, {"name": name}))
    written = application_to_dict(application)
    write, path = ConditionalWrite(context, request, caller, message), ("applications", application.name)
    done = write.put(PutApplication(application), (Kind.APPLICATION, application.name), written, path)
    new = done is not None and bool(done.plan.added)
    return made(
        write.body(written, done, (Kind.APPLICATION, application.name), path),
        status=HTTPStatus.CREATED if new else HTTPStatus.OK,
        tag=content_etag(written),
        revision=write.revision(done),
    )


@router.delete(_ONE, status_code=204, response_class=Response)
def delete_application(
    request: Request, context: Context, caller: Editor, name: str, message: Message = ""
) -> Response:
    """Remove the application, and with it its origins from all its APIs."""
    key = _find(context, name).name
    done = ConditionalWrite(context, request, caller, message).make(
        DeleteApplication(key), (Kind.APPLICATION, key)
    )
    return gone(done.head.revision)


@router.post(f"{_ONE}/suspend", responses={200: _WRITTEN}, response_class=Response)
def suspend_application(
    request: Request, context: Context, caller: Editor, name: str, message: Message = ""
) -> Response:
    """Let the application's origins count for nothing until it is resumed."""
    return _change(ConditionalWrite(context, request, caller, message), name, SuspendApplication)


@router.post(f"{_ONE}/resume", responses={200: _WRITTEN}, response_class=Response)
def resume_application(
    request: Request, context: Context, caller: Editor, name: str, message: Message = ""
) -> Response:
    """Let the application's origins count again."""
    return _change(ConditionalWrite(context, request, caller, message), name, ResumeApplication)


@router.put(_ASSOCIATION, responses={200: _WRITTEN}, response_class=Response)
def associate(
    request: Request,
    context: Context,
    caller: Editor,
    name: str,
    api_name: str,
    api_version: str,
    message: Message = "",
) -> Response:
    """Let the application's origins count for the API too. `If-Match` is the application's."""
    key = f"{name_of(api_name)}/{name_of(api_version)}"
    if key not in context.head.catalogue.apis:
        raise NotFound("API", key)
    return _change(ConditionalWrite(context, request, caller, message), name, lambda one: Associate(one, key))


@router.delete(_ASSOCIATION, responses={200: _WRITTEN}, response_class=Response)
def dissociate(
    request: Request,
    context: Context,
    caller: Editor,
    name: str,
    api_name: str,
    api_version: str,
    message: Message = "",
) -> Response:
    """Let the application's origins no longer count for the API. `If-Match` is the application's."""
    key = f"{name_of(api_name)}/{name_of(api_version)}"
    if key not in _find(context, name).apis:
        raise NotFound("association", f"{name_of(name)} with {key}")
    return _change(
        ConditionalWrite(context, request, caller, message), name, lambda one: Dissociate(one, key)
    )


def _find(context: AdminContext, name: str) -> Application:
    found = context.head.catalogue.applications.get(name_of(name))
    if found is None:
        raise NotFound("application", name_of(name))
    return found


def _change(write: ConditionalWrite, name: str, change: Callable[[str], Change]) -> Response:
    key = _find(write.context, name).name
    path = ("applications", key)
    done = write.make(change(key), (Kind.APPLICATION, key), path)
    written = application_to_dict(done.head.catalogue.applications[key])
    return made(
        write.body(written, done, (Kind.APPLICATION, key), path),
        tag=content_etag(written),
        revision=done.head.revision,
    )
