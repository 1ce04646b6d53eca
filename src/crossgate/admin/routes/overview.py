"""The gateway at a glance: decisions over time, what waits for a decision, changes and nodes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from crossgate.admin.auth import Viewer
from crossgate.admin.context import AdminContext, Context, resource_router
from crossgate.admin.refusal_bodies import RefusalBody, notes_on, refusal_bodies
from crossgate.admin.responses import read_response
from crossgate.admin.routes.nodes import NodeList, node_list
from crossgate.service.permission import Permission
from crossgate.service.ports import Revision
from crossgate.service.refusal_index import JudgedGroup
from crossgate.service.traffic import DecisionKind, TrafficPeriod

router = resource_router("Overview")
SHOWN_REFUSALS = 6
SHOWN_REVISIONS = 5
_MOST_FLAGS = 200


class TrafficCountsBody(BaseModel):
    """Requests by what became of them."""

    allowed: int
    origin: int
    """Refused because of the origin."""
    method: int
    """Refused because of the method, or because an OPTIONS request was not a preflight."""
    header: int
    """Refused because of a requested header."""
    observed: int
    """Forwarded by observe mode; `enforce` would have refused them."""
    other: int
    """Refused before any policy: malformed, or for a path that no API has; or by `watt.server.cors.host`."""


class TrafficStep(TrafficCountsBody):
    """The requests of one step of time."""

    at: datetime
    """Its beginning."""


class TrafficBody(BaseModel):
    """Requests over time, of all control planes of the store."""

    since: datetime
    step_seconds: int
    """3,600 for a caller with a limit: counts of single APIs are kept by hour."""
    steps: list[TrafficStep]
    """Without gaps; the last one is not over yet."""
    totals: TrafficCountsBody


class ChangeBody(BaseModel):
    """One revision."""

    number: int
    author: str
    at: datetime
    message: str
    objects: int
    rolls_back_to: int | None


class OverviewBody(BaseModel):
    """The gateway at a glance."""

    period: TrafficPeriod
    traffic: TrafficBody
    counted: bool
    """Whether any request was counted in the last 8 days."""
    revisions: list[ChangeBody]
    """Those of the period, and at least the newest 5; the newest first. Empty for a caller with a limit."""
    refusals: list[RefusalBody]
    """Open groups, those of most clients first; at most 6."""
    nodes: NodeList
    example_url: str | None
    """A URL of the gateway that a request could go to; null if there is no API."""


@router.get("/v1/overview", response_model=OverviewBody)
async def read_overview(
    request: Request,
    context: Context,
    caller: Viewer,
    period: Annotated[
        TrafficPeriod, Query(description="How far the traffic goes back.")
    ] = TrafficPeriod.HOUR,
) -> Response:
    """Decisions over time, open refusals, the newest changes, and the nodes of this control plane."""
    permission = caller.permission
    found = await run_in_threadpool(_read, context, period, permission)
    # On the event loop, where nodes report.
    found.nodes = node_list(context, permission)
    return read_response(request, found, in_ascii=True)


def _read(context: AdminContext, period: TrafficPeriod, permission: Permission) -> OverviewBody:
    refusals = context.refusals
    traffic = refusals.traffic(period, permission)
    totals = _counts(traffic.totals)
    widest = list(islice(refusals.widest_open(permission), SHOWN_REFUSALS))
    head = context.head
    return OverviewBody(
        period=period,
        traffic=TrafficBody(
            since=traffic.since,
            step_seconds=int(traffic.step.total_seconds()),
            steps=[
                TrafficStep(at=traffic.since + number * traffic.step, **_counts(counts).model_dump())
                for number, counts in enumerate(traffic.counts)
            ],
            totals=totals,
        ),
        counted=any(traffic.totals.values())
        or (
            period is not TrafficPeriod.WEEK
            and any(refusals.traffic(TrafficPeriod.WEEK, permission).totals.values())
        ),
        revisions=[] if permission.limited else _revisions(context, traffic.since),
        refusals=_bodies(context, widest),
        nodes=NodeList(head=head.revision, apis=0, address="", items=[]),
        example_url=_example(context, permission),
    )


def _counts(found: Mapping[DecisionKind, int]) -> TrafficCountsBody:
    return TrafficCountsBody(**{kind.value: found.get(kind, 0) for kind in DecisionKind})


def _bodies(context: AdminContext, groups: list[JudgedGroup]) -> list[RefusalBody]:
    return refusal_bodies(groups, notes_on(context.refusals, groups))


def _revisions(context: AdminContext, since: datetime) -> list[ChangeBody]:
    found: list[Revision] = []
    for one in context.service.store.revisions(limit=_MOST_FLAGS):
        if one.at < since and len(found) >= SHOWN_REVISIONS:
            break
        found.append(one)
    return [
        ChangeBody(
            number=one.number,
            author=one.author,
            at=one.at,
            message=one.message,
            objects=one.objects,
            rolls_back_to=one.rolls_back_to,
        )
        for one in found
    ]


def _example(context: AdminContext, permission: Permission) -> str | None:
    catalogue = context.head.catalogue
    apis = (one for one in catalogue.apis.values() if permission.covers_api(one.key))
    first = next((one for one in apis if one.cors is not None), None)
    if first is None:
        return None
    gateway = catalogue.gateway
    scheme = "https" if gateway.tls else "http"
    base = min(gateway.public_origins, default=f"{scheme}://{gateway.listen}")
    return f"{base}{first.endpoints[0]}"
