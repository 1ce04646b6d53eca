"""Routes of APIs."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import Viewer
from crossgate.admin.body import JsonObject
from crossgate.admin.context import Context, resource_router
from crossgate.admin.openapi import object_body, object_response, written_response
from crossgate.admin.ownership import Owner, Selected, owned, read_selector
from crossgate.admin.paging import SHORT_PAGE, Page, PageBody
from crossgate.admin.path_names import name_in, with_path_names
from crossgate.admin.responses import read_response
from crossgate.admin.writes import Write
from crossgate.catalogue.model import Api, ApiType, Catalogue
from crossgate.catalogue.reader import read_api as parse_api
from crossgate.catalogue.serialise import api_to_dict
from crossgate.service.api_search import parse_api_query
from crossgate.service.changes import DeleteApi, PutApi
from crossgate.service.errors import NotFound
from crossgate.service.etag import content_etag
from crossgate.service.objects import ObjectKind
from crossgate.service.traffic import DecisionKind

router = resource_router("APIs")
_PATH = "/v1/apis/{name}/{version}"
_SEARCH = (
    "Words that must all match, such as `petstore mode:observe`: parts of the key, an endpoint, the native "
    "service, an origin or the owner; `api:`, `endpoint:`, `native:`, `origin:` and `owner:` for one of "
    "them; `label:team=checkout`; `mode:enforce`, `mode:observe`, `mode:none`; `type:rest`; `has:policy`, "
    "`has:credentials`, `has:accepted`."
)


class PolicyFilter(StrEnum):
    """The policy that an API has."""

    NONE = "none"
    ENFORCE = "enforce"
    OBSERVE = "observe"


class ListedApi(BaseModel):
    """One API of a page."""

    key: str
    etag: str
    """For `If-Match`."""
    api: dict[str, Any]
    """As in a document."""
    refused: int | None = None
    """With `counts`: requests that were refused in the last 24 hours."""
    observed: int | None = None
    """With `counts`: requests that observe mode forwarded and would refuse if it were enforced."""


class ApiPage(PageBody[ListedApi]):
    """APIs, by key."""

    total: int
    """How many APIs match, on all pages."""


@router.get("/v1/apis", response_model=ApiPage)
def list_apis(
    request: Request,
    context: Context,
    caller: Viewer,
    page: Page,
    *,
    q: Annotated[str, Query(max_length=1000, description=_SEARCH)] = "",
    counts: Annotated[bool, Query(description="Add what was refused and observed in 24 hours.")] = False,
    name: Annotated[str, Query(max_length=200, description="Part of the key, in any case.")] = "",
    type: Annotated[ApiType | None, Query(description="The API's type.")] = None,  # noqa: A002 - the field's name
    policy: Annotated[PolicyFilter | None, Query(description="The API's policy.")] = None,
    owner: Owner = "",
    selector: Selected = None,
) -> Response:
    """APIs, by key."""
    search = parse_api_query(q)
    chosen = read_selector(selector)
    examines = bool(q or name or owner or chosen) or type is not None or policy is not None
    if (examines or page.limit > SHORT_PAGE) and not counts:
        # Workers have no telemetry. With it, 5,000 APIs are searched here, in some 10 ms.
        context.leave_long_read_to_worker()
    view = context.view(caller)
    apis = view.catalogue.apis
    matches = _filter(name, type, policy)
    found = [one for one in search.find(apis[key] for key in view.api_keys.of(apis)) if matches(one)]
    found = owned(found, owner, chosen)
    keys, next_cursor = page.slice([one.key for one in found])
    items = [_listed(key, apis[key]) for key in keys]
    if counts:
        refused = context.refusals.refused_by_api(caller.permission, keys)
        for item, key in zip(items, keys, strict=True):
            kinds = {kind: count for (api, kind), count in refused.items() if api == key}
            item["observed"] = kinds.pop(DecisionKind.OBSERVED, 0)
            item["refused"] = sum(kinds.values())
    return read_response(request, {"items": items, "next": next_cursor, "total": len(found)})


def _listed(key: str, api: Api) -> dict[str, object]:
    written = api_to_dict(api)
    return {"key": key, "etag": content_etag(written), "api": written}


def _filter(name: str, type_: ApiType | None, policy: PolicyFilter | None) -> Callable[[Api], bool]:
    part = name.casefold()

    def matches(api: Api) -> bool:
        mode = "none" if api.cors is None else api.cors.mode.value
        return (
            part in api.key.casefold()
            and (type_ is None or api.type is type_)
            and (policy is None or policy.value == mode)
        )

    return matches


@router.get(_PATH, responses={200: object_response("ApiEntry")}, response_class=Response)
def read_api(request: Request, context: Context, caller: Viewer, name: str, version: str) -> Response:
    """One API with its policy."""
    return read_response(request, api_to_dict(find_api(context.view(caller).catalogue, name, version)))


@router.put(
    _PATH,
    responses={200: written_response("ApiEntry"), 201: written_response("ApiEntry", "The API was created.")},
    response_class=Response,
    openapi_extra=object_body("ApiEntry"),
)
def put_api(write: Write, name: str, version: str, body: JsonObject) -> Response:
    """Create or replace an API with its policy. The body can omit the name and the version."""
    api = parse_api(with_path_names(body, {"name": name, "version": version}))
    return write.put(PutApi(api), (ObjectKind.API, api.key), api_to_dict(api))


@router.delete(_PATH, status_code=204, response_class=Response)
def delete_api(write: Write, name: str, version: str) -> Response:
    """Delete an API. Fails while an application is associated with it."""
    key = find_api(write.view, name, version).key
    return write.delete(DeleteApi(key), (ObjectKind.API, key))


def api_key(name: str, version: str) -> str:
    """The key of the API that two path segments name."""
    return f"{name_in(name)}/{name_in(version)}"


def find_api(view: Catalogue, name: str, version: str) -> Api:
    """The API that two path segments name.

    Raises:
        NotFound: there is none.

    """
    key = api_key(name, version)
    api = view.apis.get(key)
    if api is None:
        raise NotFound("API", key)
    return api
