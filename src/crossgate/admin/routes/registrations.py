"""Routes that register applications with APIs and remove registrations, several as one revision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Depends
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from crossgate.admin.auth import Viewer
from crossgate.admin.body import ModelBody
from crossgate.admin.context import Context, resource_router
from crossgate.admin.etag_headers import revision_etag
from crossgate.admin.responses import json_response
from crossgate.admin.routes.documents import (
    ChangeResultBody,
    PlanBody,
    change_result_response,
    leave_preview_to_worker,
    plan_body_with_patch,
)
from crossgate.admin.writes import Write
from crossgate.service.registrations import Registration, registration_changes

router = resource_router("Applications")
_MOST: Final = 1_000


class RegistrationBody(BaseModel):
    """One application with one API."""

    model_config = ConfigDict(extra="forbid", strict=True)

    application: str
    api: str
    """`name/version`."""


class RegistrationsRequest(BaseModel):
    """What to register and what to remove; what is so already changes nothing."""

    model_config = ConfigDict(extra="forbid", strict=True)

    register_: list[RegistrationBody] = Field(default=[], alias="register", max_length=_MOST)
    remove: list[RegistrationBody] = Field(default=[], max_length=_MOST)


async def _previewed(
    context: Context,
    caller: Viewer,
    body: Annotated[RegistrationsRequest, Depends(ModelBody(RegistrationsRequest))],
) -> RegistrationsRequest:
    """The request, for a worker that also gets what is recorded of requests."""
    leave_preview_to_worker(context, caller)
    return body


@router.post("/v1/registrations/preview", response_model=PlanBody)
def preview_registrations(
    context: Context, caller: Viewer, body: Annotated[RegistrationsRequest, Depends(_previewed)]
) -> Response:
    """Who would gain access to which API, and who would lose it. Nothing changes.

    Send the `ETag` of the response as `If-Match` of `POST /v1/registrations`.
    """
    visible = context.view(caller).catalogue
    changes = registration_changes(visible, _pairs(body.register_), _pairs(body.remove))
    plan = context.service.plan(changes, caller.permission, context.refusals.records(caller.permission))
    return json_response(
        plan_body_with_patch(context, caller, plan), etag=revision_etag(plan.base), in_ascii=True
    )


@router.post("/v1/registrations", response_model=ChangeResultBody)
def change_registrations(
    write: Write, body: Annotated[RegistrationsRequest, Depends(ModelBody(RegistrationsRequest))]
) -> Response:
    """Register applications with APIs and remove registrations, as one revision.

    `If-Match` has the etag of the preview; `*` changes any revision.
    """
    base = write.base_revision()
    changes = registration_changes(write.view, _pairs(body.register_), _pairs(body.remove))
    with write.context.quick_proofs():
        result = write.context.service.change(
            changes,
            author=write.author,
            message=write.message,
            base=base,
            permission=write.caller.permission,
        )
    return change_result_response(result)


def _pairs(listed: Sequence[RegistrationBody]) -> list[Registration]:
    return [Registration(one.application, one.api) for one in listed]
