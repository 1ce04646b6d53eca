"""What is recorded of one API: when its entries matched, and what was refused."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import Viewer
from crossgate.admin.context import Context, resource_router
from crossgate.admin.responses import read_response
from crossgate.admin.routes.apis import find_api
from crossgate.service.traffic import DecisionKind

router = resource_router("APIs")


class EntryTrafficBody(BaseModel):
    """An entry of the allowed origins."""

    index: int
    last_matched: datetime | None
    """The last request of a sample that it allowed; null if none is kept, or if it was not looked for."""
    revision: int | None
    """The newest revision at that time, if the entry did not match in the last 24 hours."""
    judged: bool
    """False beyond 200 wildcards and expressions."""


class RefusedNameBody(BaseModel):
    """A method or a header name that the policy does not allow."""

    name: str
    """As requests sent it; hostile."""
    refusals: int


class ApiTrafficBody(BaseModel):
    """What is recorded of one API."""

    api: str
    refused: int
    """Requests that were refused in the last 24 hours."""
    observed: int
    """Requests that observe mode forwarded and would refuse if it were enforced."""
    clients: int
    """Distinct addresses that were refused or observed, estimated."""
    any_allowed: bool
    """Whether an allowed request is recorded at all."""
    entries: list[EntryTrafficBody]
    refused_methods: list[RefusedNameBody]
    """In the last 24 hours, the most frequent first; at most 20, as `refused_headers`."""
    refused_headers: list[RefusedNameBody]


@router.get("/v1/apis/{name}/{version}/traffic", response_model=ApiTrafficBody)
def read_api_traffic(request: Request, context: Context, caller: Viewer, name: str, version: str) -> Response:
    """What was refused in the last 24 hours, and when each allowed origin last matched a recorded request."""
    key = find_api(context.view(caller).catalogue, name, version).key
    counts = {
        kind: count for (_, kind), count in context.refusals.refused_by_api(caller.permission, [key]).items()
    }
    found = context.refusals.api_traffic(key, caller.permission)
    body = ApiTrafficBody(
        api=key,
        observed=counts.pop(DecisionKind.OBSERVED, 0),
        refused=sum(counts.values()),
        clients=found.clients,
        any_allowed=found.any_allowed,
        entries=[
            EntryTrafficBody(
                index=one.index, last_matched=one.last_matched, revision=one.revision, judged=one.judged
            )
            for one in found.entries
        ],
        refused_methods=_names(found.refused_methods.items()),
        refused_headers=_names(found.refused_headers.items()),
    )
    return read_response(request, body, in_ascii=True)


def _names(found: Iterable[tuple[str, float]]) -> list[RefusedNameBody]:
    return [RefusedNameBody(name=name, refusals=round(count)) for name, count in found]
