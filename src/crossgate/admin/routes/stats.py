"""Routes of statistics: decisions counted, requests by their id, and whether an API can be enforced."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from crossgate.admin.auth import Viewer
from crossgate.admin.context import Context, resource_router
from crossgate.admin.event_streams import StreamItem, Topic
from crossgate.admin.paging import Page, PageBody, PageRequest, cursor_after
from crossgate.admin.path_names import name_in
from crossgate.admin.request_times import RequestTime, as_utc
from crossgate.admin.responses import read_response
from crossgate.admin.telemetry_feeds import EVENT_STREAM, event_stream, series_fields
from crossgate.compiler.route_names import DecisionSeries
from crossgate.diagnostics import Diagnostic, InvalidInput, Place

router = resource_router("Statistics")
_DEFAULT_PERIOD = timedelta(hours=24)


class SplitBy(StrEnum):
    """What counts are split by, besides the series."""

    NOTHING = "none"
    HOUR = "hour"
    NODE = "node"


class SeriesBody(BaseModel):
    """The number of decisions on requests to one endpoint with one outcome."""

    api: str
    """Key of the API, or `server-level`; empty for requests that no API has the path of."""
    endpoint: str
    flow: str
    reason: str
    observed: bool
    """Whether observe mode made the decision, and it was not enforced."""
    hour: datetime | None
    """With `by=hour`: its beginning. Hours older than 8 days are summed by day."""
    node: str | None
    """With `by=node`."""
    decisions: int


class StatsPage(PageBody[SeriesBody]):
    """Decisions by API, endpoint, flow and reason."""

    since: datetime | None
    """The beginning of the first hour that is counted. Null with `by=node`: since each Envoy's start."""
    until: datetime


class RequestBody(BaseModel):
    """One request of the sample. All but the series, the node and the status comes from the request."""

    request_id: str
    at: datetime
    node: str
    api: str
    endpoint: str
    flow: str
    reason: str
    observed: bool
    status: int
    method: str
    origin: str
    request_method: str
    """Its `Access-Control-Request-Method`."""
    request_headers: str
    """Its `Access-Control-Request-Headers`."""
    path: str
    """Without query; below the endpoint two segments, the others as `*`."""
    user_agents: list[str]
    """Its family, such as `Chrome`."""
    fetch_sites: list[str]
    fetch_modes: list[str]
    fetch_dests: list[str]


@router.get("/v1/stats", response_model=StatsPage)
def read_stats(
    request: Request,
    context: Context,
    caller: Viewer,
    page: Page,
    api: Annotated[str, Query(max_length=500, description="Of this API only.")] = "",
    since: Annotated[
        RequestTime | None, Query(description="Count from this time's hour; default: 24 hours ago.")
    ] = None,
    until: Annotated[RequestTime | None, Query(description="Count to this time; default: now.")] = None,
    by: Annotated[
        SplitBy,
        Query(description="`node`: all that is stored of this control plane's nodes, without a period."),
    ] = SplitBy.NOTHING,
) -> Response:
    """Decisions by API, endpoint, flow and reason, in this order."""
    if by is SplitBy.NODE:
        _refuse_period(since=since, until=until)
    now = datetime.now(UTC)
    end = as_utc(until) or now + timedelta(seconds=1)
    begin: datetime | None = (as_utc(since) or now - _DEFAULT_PERIOD).replace(
        minute=0, second=0, microsecond=0
    )
    counts = Counter[tuple[DecisionSeries, str]]()
    if by is SplitBy.NODE:
        begin = None
        for key, count in context.refusals.totals(caller.permission).items():
            counts[key.series, key.node] += count
    else:
        assert begin is not None  # noqa: S101 - set above
        for (hour, series), count in context.refusals.decisions(begin, end, caller.permission, api).items():
            counts[series, hour.isoformat() if by is SplitBy.HOUR else ""] += count
    rows = sorted((series, part) for series, part in counts if api in ("", series.api))
    after = _position(page)
    if after is not None:
        rows = [row for row in rows if row > after]
    shown = rows[: page.limit]
    items = [_body(*row, counts[row], by) for row in shown]
    next_cursor = _cursor(*shown[-1]) if len(rows) > page.limit else None
    return read_response(
        request, StatsPage(items=items, next=next_cursor, since=begin, until=end), in_ascii=True
    )


@router.get("/v1/stats/events", response_class=Response, responses={200: EVENT_STREAM})
async def follow_stats(
    request: Request,
    context: Context,
    caller: Viewer,
    api: Annotated[str, Query(max_length=500, description="Of this API only.")] = "",
) -> Response:
    """The decisions of the current hour whenever they change, as server-sent events of the type `stats`.

    `dropped` says how many were left out, because the client reads too slowly; `end` why the stream ends.
    """

    def matches(item: StreamItem) -> bool:
        return api in ("", item.api)

    return event_stream(request, context, [Topic.STATS], caller, matches)


@router.get("/v1/requests/{request_id}", response_model=RequestBody)
def read_request(
    request: Request,
    context: Context,
    caller: Viewer,
    request_id: Annotated[str, Path(max_length=200, description="The `X-Request-Id` of its response.")],
) -> Response:
    """A request that is still in the sample of this control plane, for some minutes. No client is named."""
    found = context.refusals.find_request(name_in(request_id), caller.permission)
    series, seen = found.series, found.seen_in
    return read_response(
        request,
        RequestBody(
            request_id=found.request_id,
            at=found.at,
            node=found.node,
            api=series.api,
            endpoint=series.endpoint,
            flow=series.flow,
            reason=series.reason,
            observed=series.observed,
            status=found.status,
            method=found.method,
            origin=found.origin,
            request_method=found.request_method,
            request_headers=found.request_headers,
            path=seen.path,
            user_agents=list(seen.user_agents),
            fetch_sites=list(seen.fetch_sites),
            fetch_modes=list(seen.fetch_modes),
            fetch_dests=list(seen.fetch_dests),
        ),
        in_ascii=True,
    )


def _refuse_period(**period: datetime | None) -> None:
    given = {name: time for name, time in period.items() if time is not None}
    if given:
        raise InvalidInput(
            [
                Diagnostic(
                    "period-by-node",
                    f"{name} does not apply to counts by node: they have no times",
                    "Omit since and until, or do not split by node",
                    Place(("query", name)),
                    found=time.isoformat(),
                )
                for name, time in given.items()
            ]
        )


def _body(series: DecisionSeries, part: str, count: int, by: SplitBy) -> SeriesBody:
    hour = datetime.fromisoformat(part) if by is SplitBy.HOUR else None
    node = part if by is SplitBy.NODE else None
    return SeriesBody.model_validate(series_fields(series, count, hour, node))


def _cursor(series: DecisionSeries, part: str) -> str:
    words = [series.api, series.endpoint, series.flow, series.reason, series.observed, part]
    return cursor_after(json.dumps(words))


def _position(page: PageRequest) -> tuple[DecisionSeries, str] | None:
    after = page.after
    if after is None:
        return None
    try:
        api, endpoint, flow, reason, observed, part = json.loads(after)
    except (ValueError, TypeError):
        raise page.invalid_cursor() from None
    texts = (api, endpoint, flow, reason, part)
    if not all(isinstance(one, str) for one in texts) or not isinstance(observed, bool):
        raise page.invalid_cursor()
    return DecisionSeries(api, endpoint, flow, reason, observed), part
