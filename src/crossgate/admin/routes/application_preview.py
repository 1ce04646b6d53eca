"""The preview of an edit of an application: who would gain access, and who would lose it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from fastapi.responses import Response

from crossgate.admin.auth import Viewer
from crossgate.admin.body import JsonObject
from crossgate.admin.context import Context, resource_router
from crossgate.admin.etag_headers import revision_etag
from crossgate.admin.openapi import object_body
from crossgate.admin.path_names import name_in, with_path_names
from crossgate.admin.responses import json_response
from crossgate.admin.routes.documents import PlanBody, leave_preview_to_worker, plan_body_with_patch
from crossgate.catalogue.reader import read_application
from crossgate.service.changes import DeleteApplication, PutApplication
from crossgate.service.errors import NotFound

router = resource_router("Applications")


async def _previewed(context: Context, caller: Viewer, body: JsonObject) -> dict[str, object]:
    """The draft, for a worker that also gets what is recorded of requests."""
    leave_preview_to_worker(context, caller)
    return body


@router.post(
    "/v1/applications/{name}/preview",
    response_model=PlanBody,
    openapi_extra=object_body("ApplicationEntry"),
)
def preview_application(
    context: Context,
    caller: Viewer,
    name: str,
    body: Annotated[dict[str, object], Depends(_previewed)],
    *,
    delete: Annotated[bool, Query(description="Preview its deletion; the body is then ignored.")] = False,
) -> Response:
    """What creating, replacing or deleting the application would do. Nothing changes."""
    change: PutApplication | DeleteApplication
    if delete:
        if name_in(name) not in context.view(caller).catalogue.applications:
            raise NotFound("application", name_in(name))
        change = DeleteApplication(name_in(name))
    else:
        change = PutApplication(read_application(with_path_names(body, {"name": name})))
    plan = context.service.plan([change], caller.permission, context.refusals.records(caller.permission))
    return json_response(
        plan_body_with_patch(context, caller, plan), etag=revision_etag(plan.base), in_ascii=True
    )
