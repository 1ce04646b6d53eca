"""Routes of applications, their associations with APIs, and their suspension."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import Viewer
from crossgate.admin.body import JsonObject
from crossgate.admin.context import AdminContext, Context, resource_router
from crossgate.admin.openapi import object_body, object_response, written_response
from crossgate.admin.ownership import Owner, Selected, owned, read_selector
from crossgate.admin.paging import SHORT_PAGE, Page, PageBody
from crossgate.admin.path_names import name_in, with_path_names
from crossgate.admin.responses import read_response
from crossgate.admin.routes.apis import api_key, find_api
from crossgate.admin.writes import Write
from crossgate.catalogue.model import Application, Catalogue
from crossgate.catalogue.reader import read_application as parse_application
from crossgate.catalogue.serialise import application_to_dict
from crossgate.service.application_search import parse_application_query
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
from crossgate.service.refusals import SeenOrigin
from crossgate.service.tokens import Token

router = resource_router("Applications")
_PATH = "/v1/applications/{name}"
_ASSOCIATION = "/v1/applications/{name}/apis/{api_name}/{api_version}"
_WRITTEN = written_response("ApplicationEntry")
_SEARCH = (
    "Words that all must match: part of the name, `origin:` and a part of an origin, `api:` and a part of an "
    "associated API's key, `owner:` and a part of the owner, `label:team=checkout`, `is:suspended`, "
    "`is:active`, `is:unseen` (an origin was never seen)."
)


class SeenOnBody(BaseModel):
    """One API that allowed an origin."""

    api: str
    last_seen: str
    requests: float
    """Allowed ones, estimated from a sample."""


class OriginStatusBody(BaseModel):
    """Where one origin of an application was seen, while that is kept."""

    origin: str
    last_seen: str | None
    """Null if it was never seen."""
    apis: list[SeenOnBody]


class ListedApplication(BaseModel):
    """One application of a page."""

    name: str
    etag: str
    """For `If-Match`."""
    application: dict[str, Any]
    """As in a document."""
    origins: list[OriginStatusBody] | None = None
    """With `seen`: its origins, in their order."""


class ApplicationPage(PageBody[ListedApplication]):
    """Applications, by name."""

    total: int
    """How many applications match, on all pages."""


@router.get("/v1/applications", response_model=ApplicationPage)
def list_applications(
    request: Request,
    context: Context,
    caller: Viewer,
    page: Page,
    *,
    q: Annotated[str, Query(max_length=1000, description=_SEARCH)] = "",
    seen: Annotated[bool, Query(description="Add where and when each origin was seen.")] = False,
    name: Annotated[str, Query(max_length=200, description="Part of the name, in any case.")] = "",
    api: Annotated[str, Query(max_length=500, description="Associated with this API (`name/version`).")] = "",
    origin: Annotated[str, Query(max_length=500, description="With this JavaScript origin.")] = "",
    suspended: Annotated[bool | None, Query(description="Suspended, or not suspended.")] = None,
    owner: Owner = "",
    selector: Selected = None,
) -> Response:
    """Applications, by name."""
    search = parse_application_query(q)
    chosen = read_selector(selector)
    examines = bool(q or name or origin or owner or chosen) or suspended is not None
    if (examines or page.limit > SHORT_PAGE) and not seen and not search.asks_what_is_seen:
        # Workers have no telemetry. With it, 20,000 applications are read here, in some 10 ms.
        context.leave_long_read_to_worker()
    view = context.view(caller)
    applications = view.catalogue.applications
    names = view.application_names.of(applications)
    known = context.refusals.seen_origins(caller.permission) if search.asks_what_is_seen else ()
    matching = search.find((applications[key] for key in names), {one.origin for one in known})
    matching = owned(_filtered(matching, name, api, origin, suspended=suspended), owner, chosen)
    keys, next_cursor = page.slice([one.name for one in matching])
    found = [applications[key] for key in keys]
    items = [_listed(one) for one in found]
    if seen:
        statuses = _origin_statuses(context, caller, found)
        for item, one in zip(items, found, strict=True):
            item["origins"] = [statuses[each] for each in one.javascript_origins]
    return read_response(request, {"items": items, "next": next_cursor, "total": len(matching)})


def _filtered(
    found: list[Application], name: str, api: str, origin: str, *, suspended: bool | None
) -> list[Application]:
    """Those to which the single filters apply."""
    part = name.casefold()
    if part:
        found = [one for one in found if part in one.name.casefold()]
    if api:
        found = [one for one in found if api in one.apis]
    if origin:
        found = [one for one in found if origin in one.javascript_origins]
    if suspended is not None:
        found = [one for one in found if one.suspended is suspended]
    return found


def _listed(application: Application) -> dict[str, object]:
    written = application_to_dict(application)
    return {"name": application.name, "etag": content_etag(written), "application": written}


def _origin_statuses(
    context: AdminContext, caller: Token, applications: Sequence[Application]
) -> dict[str, dict[str, object]]:
    """Where and when the origins of these applications were seen, as :class:`OriginStatusBody`."""
    origins = {origin for one in applications for origin in one.javascript_origins}
    found = defaultdict[str, list[SeenOrigin]](list)
    for one in context.refusals.seen_origins(caller.permission, origins):
        found[one.origin].append(one)
    return {
        origin: {
            "origin": origin,
            "last_seen": max((one.last_seen.isoformat() for one in found[origin]), default=None),
            "apis": [
                {"api": one.api, "last_seen": one.last_seen.isoformat(), "requests": one.count}
                for one in found[origin]
            ],
        }
        for origin in origins
    }


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
