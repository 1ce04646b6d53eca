"""Whether an API in observe mode can be enforced, with the evidence."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import Viewer
from crossgate.admin.context import Context, resource_router
from crossgate.admin.responses import read_response
from crossgate.admin.routes.apis import find_api
from crossgate.service.readiness import DAYS_OF_TRAFFIC

router = resource_router("Refusals")


class ReadinessBody(BaseModel):
    """Whether `mode: enforce` would refuse nothing that anybody misses, and what shows it."""

    api: str
    ready: bool
    missing: list[str]
    """What is missing, each as a sentence; empty if it is ready."""
    first_seen: datetime | None
    """The hour of the first decision in observe mode that is kept."""
    days_with_traffic: int
    requests: int
    """Decisions in observe mode."""
    refused: int
    """Of these, requests that `enforce` would still refuse."""
    error: int
    """Of `refused`: it is within plus or minus this."""
    open: list[str]
    """Ids of groups that it would still refuse, and that nobody dismissed."""
    dismissed: list[str]
    """Ids of groups that it would still refuse, as somebody decided."""
    resolved: list[str]
    """Ids of groups that the policy allows now."""


@router.get("/v1/apis/{name}/{version}/readiness", response_model=ReadinessBody)
def read_readiness(
    request: Request,
    context: Context,
    caller: Viewer,
    name: str,
    version: str,
    days: Annotated[
        int, Query(ge=1, le=30, description="Days of traffic that must have been seen.")
    ] = DAYS_OF_TRAFFIC,
) -> Response:
    """Whether an API in observe mode can be enforced: traffic was seen, and no group is left open."""
    api = find_api(context.view(caller).catalogue, name, version)
    found = context.refusals.readiness(api.key, caller.permission, days)
    ids = {
        kind: [group.key.id for group in groups]
        for kind, groups in (
            ("open", found.open),
            ("dismissed", found.dismissed),
            ("resolved", found.resolved),
        )
    }
    return read_response(
        request,
        ReadinessBody(
            api=found.api,
            ready=found.ready,
            missing=list(found.missing),
            first_seen=found.first_seen,
            days_with_traffic=found.days_with_traffic,
            requests=found.requests,
            refused=round(found.refused),
            error=round(found.error),
            **ids,
        ),
    )
