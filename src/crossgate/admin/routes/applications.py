"""Routes of applications, their associations with APIs, and their suspension."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import Viewer
from crossgate.admin.body import JsonObject
from crossgate.admin.context import Context, resource_router
from crossgate.admin.openapi import object_body, object_response, written_response
from crossgate.admin.paging import Page, PageBody
from crossgate.admin.path_names import name_in, with_path_names
from crossgate.admin.responses import read_response
from crossgate.admin.routes.apis import api_key, find_api
from crossgate.admin.writes import Write
from crossgate.catalogue.model import Application, Catalogue
from crossgate.catalogue.reader import read_application as parse_application
from crossgate.catalogue.serialise import application_to_dict
from crossgate.service.changes import (
    Associate,
    DeleteApplication,
    Dissociate,
    PutApplication,
    ResumeApplication,
    SuspendApplication,
)
from crossgate.service.errors import NotFound
from crossgate.service.etag import content_etag
from crossgate.service.objects import ObjectKind

router = resource_router("Applications")
_PATH = "/v1/applications/{name}"
_ASSOCIATION = "/v1/applications/{name}/apis/{api_name}/{api_version}"
_WRITTEN = written_response("ApplicationEntry")


class ListedApplication(BaseModel):
    """One application of a page."""

    name: str
    etag: str
    """For `If-Match`."""
    application: dict[str, Any]
    """As in a document."""


class ApplicationPage(PageBody[ListedApplication]):
    """Applications, by name."""


@router.get("/v1/applications", response_model=ApplicationPage)
def list_applications(
    request: Request,
    context: Context,
    caller: Viewer,
    page: Page,
    *,
    name: Annotated[str, Query(max_length=200, description="Part of the name, in any case.")] = "",
    api: Annotated[str, Query(max_length=500, description="Associated with this API (`name/version`).")] = "",
    origin: Annotated[str, Query(max_length=500, description="With this JavaScript origin.")] = "",
    suspended: Annotated[bool | None, Query(description="Suspended, or not suspended.")] = None,
) -> Response:
    """Applications, by name."""
    context.leave_long_read_to_worker()
    view = context.view(caller)
    applications = view.catalogue.applications
    names = view.application_names.of(applications)
    matches = _filter(name, api, origin, suspended=suspended)
    found, next_cursor = page.select(applications, names, matches)
    return read_response(request, {"items": [_listed(key, one) for key, one in found], "next": next_cursor})


def _listed(name: str, application: Application) -> dict[str, object]:
    written = application_to_dict(application)
    return {"name": name, "etag": content_etag(written), "application": written}


def _filter(name: str, api: str, origin: str, *, suspended: bool | None) -> Callable[[Application], bool]:
    part = name.casefold()

    def matches(application: Application) -> bool:
        return (
            (not part or part in application.name.casefold())
            and (not api or api in application.apis)
            and (not origin or origin in application.javascript_origins)
            and (suspended is None or application.suspended is suspended)
        )

    return matches


@router.get(_PATH, responses={200: object_response("ApplicationEntry")}, response_class=Response)
def read_application(request: Request, context: Context, caller: Viewer, name: str) -> Response:
    """One application."""
    return read_response(request, application_to_dict(_find(context.view(caller).catalogue, name)))


@router.put(
    _PATH,
    responses={200: _WRITTEN, 201: written_response("ApplicationEntry", "The application was created.")},
    response_class=Response,
    openapi_extra=object_body("ApplicationEntry"),
)
def put_application(write: Write, name: str, body: JsonObject) -> Response:
    """Create or replace an application. The body can omit the name."""
    application = parse_application(with_path_names(body, {"name": name}))
    target = (ObjectKind.APPLICATION, application.name)
    return write.put(PutApplication(application), target, application_to_dict(application))


@router.delete(_PATH, status_code=204, response_class=Response)
def delete_application(write: Write, name: str) -> Response:
    """Delete an application. Its origins are then no longer allowed for its APIs."""
    key = _find(write.view, name).name
    return write.delete(DeleteApplication(key), (ObjectKind.APPLICATION, key))


@router.post(f"{_PATH}/suspend", responses={200: _WRITTEN}, response_class=Response)
def suspend_application(write: Write, name: str) -> Response:
    """Suspend an application. Its origins are not allowed until it is resumed."""
    key = _find(write.view, name).name
    return write.modify(SuspendApplication(key), (ObjectKind.APPLICATION, key))


@router.post(f"{_PATH}/resume", responses={200: _WRITTEN}, response_class=Response)
def resume_application(write: Write, name: str) -> Response:
    """Resume a suspended application. Its origins are allowed again."""
    key = _find(write.view, name).name
    return write.modify(ResumeApplication(key), (ObjectKind.APPLICATION, key))


@router.put(_ASSOCIATION, responses={200: _WRITTEN}, response_class=Response)
def associate(write: Write, name: str, api_name: str, api_version: str) -> Response:
    """Associate an application with an API, which then allows its origins.

    `If-Match` has the application's etag.
    """
    api = find_api(write.view, api_name, api_version)
    key = _find(write.view, name).name
    return write.modify(Associate(key, api.key), (ObjectKind.APPLICATION, key))


@router.delete(_ASSOCIATION, responses={200: _WRITTEN}, response_class=Response)
def dissociate(write: Write, name: str, api_name: str, api_version: str) -> Response:
    """Remove the association of an application with an API.

    `If-Match` has the application's etag.
    """
    application, api = _find(write.view, name), api_key(api_name, api_version)
    if api not in application.apis:
        raise NotFound("association", f"{application.name} with {api}")
    return write.modify(Dissociate(application.name, api), (ObjectKind.APPLICATION, application.name))


def _find(view: Catalogue, name: str) -> Application:
    found = view.applications.get(name_in(name))
    if found is None:
        raise NotFound("application", name_in(name))
    return found
