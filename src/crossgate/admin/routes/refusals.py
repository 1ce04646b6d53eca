"""Routes of refusals: the groups of refused requests, and what is decided about them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from crossgate.admin.auth import Editor, Viewer
from crossgate.admin.body import ModelBody
from crossgate.admin.context import AdminContext, Context, resource_router
from crossgate.admin.event_streams import StreamItem, Topic
from crossgate.admin.flow_bodies import Rules, flow_body, locator
from crossgate.admin.paging import Page, PageBody, PageRequest, cursor_after
from crossgate.admin.refusal_bodies import (
    OtherRefusalsBody,
    RefusalBody,
    RefusalDetail,
    notes_on,
    other_refusals,
    refusal_bodies,
    refusal_detail,
)
from crossgate.admin.request_times import RequestTime, as_utc
from crossgate.admin.responses import json_response, read_response
from crossgate.admin.telemetry_feeds import EVENT_STREAM, event_stream
from crossgate.policy import Reason
from crossgate.policy.whole_flow import whole_flow
from crossgate.service.catalogue_service import MAX_MESSAGE
from crossgate.service.file_store import FileStore
from crossgate.service.refusal_filter import RefusalFilter, parse_refusal_filter
from crossgate.service.refusal_index import JudgedGroup
from crossgate.service.refusal_query import Position, RefusalOrder, RefusalQuery, numbers_in
from crossgate.service.refusal_states import GroupState
from crossgate.service.refusals import DismissalReason

router = resource_router("Refusals")
GroupId = Annotated[str, Path(max_length=100, description="The id of a group: hexadecimal digits.")]


class RefusalPage(PageBody[RefusalBody]):
    """Groups of refused requests."""

    total: int
    """How many groups match."""
    offset: int
    """How many of them come before this page."""
    states: dict[GroupState, int]
    """How many match in each state, whatever the states of the query."""
    others: list[OtherRefusalsBody]
    """Refusals that match too, and whose groups were not kept because there were too many."""


class DismissRequest(BaseModel):
    """Why refusals are as they should be."""

    model_config = ConfigDict(extra="forbid")

    reason: DismissalReason
    note: str = Field(default="", max_length=MAX_MESSAGE)


async def refusal_filter(
    context: Context,
    caller: Viewer,
    api: Annotated[
        str,
        Query(
            max_length=500,
            description="`name/version` of an API, its name for all versions, or `server-level`.",
        ),
    ] = "",
    since: Annotated[RequestTime | None, Query(description="Seen at that time or later.")] = None,
    reason: Annotated[Reason | None, Query(description="The step that refused them.")] = None,
    state: Annotated[
        list[GroupState] | None,
        Query(description="Repeat it for more; default: any. `open` finds `reopened` ones too."),
    ] = None,
    origin: Annotated[str, Query(max_length=300, description="A part of the origin.")] = "",
    observed: Annotated[bool | None, Query(description="Whether observe mode forwarded them.")] = None,
    text: Annotated[
        str,
        Query(
            alias="filter",
            max_length=1000,
            description="A filter as a string, besides the others: `api:petstore reason:origin is:open "
            "sort:clients since:24h observed:yes method:PUT origin:shop`, and words that are parts of the "
            "origin, the API, the method or a header name.",
        ),
    ] = "",
) -> RefusalFilter:
    """The filters of lists and events."""
    query = RefusalQuery(api, as_utc(since), reason or "", frozenset(state or ()), origin, observed)
    return parse_refusal_filter(text, datetime.now(UTC), query, context.view(caller).catalogue.apis)


Filters = Annotated[RefusalFilter, Depends(refusal_filter)]


@router.get("/v1/refusals", response_model=RefusalPage)
def list_refusals(
    request: Request,
    context: Context,
    caller: Viewer,
    filters: Filters,
    page: Page,
    sort: Annotated[
        RefusalOrder, Query(description="What comes first; `sort:` in the filter wins.")
    ] = RefusalOrder.COUNT,
    offset: Annotated[int, Query(ge=0, le=100_000, description="How many groups to leave out.")] = 0,
) -> Response:
    """Groups of refused requests, the most frequent first. Counts go on, so that pages can overlap."""
    query, order = filters.query, filters.order or sort
    found = context.refusals.find_some(
        query, caller.permission, order, limit=page.limit, after=_position(page, order), skip=offset
    )
    body = RefusalPage(
        items=refusal_bodies(found.groups, notes_on(context.refusals, found.groups)),
        next=None if found.last is None else cursor_after(" ".join(map(str, found.last))),
        total=found.total,
        offset=found.begin,
        states={one: found.states.get(one, 0) for one in GroupState},
        others=other_refusals(context.refusals.others(query, caller.permission)),
    )
    return read_response(request, body, in_ascii=True)


@router.get("/v1/refusals/events", response_class=Response, responses={200: EVENT_STREAM})
async def follow_refusals(request: Request, context: Context, caller: Viewer, filters: Filters) -> Response:
    """Groups whenever they change, as server-sent events of the type `refusal`: each is a group as in lists.

    `dropped` says how many were left out, because the client reads too slowly; `end` why the stream ends.
    """
    query = filters.query

    def matches(item: StreamItem) -> bool:
        found = item.source
        return (
            isinstance(found, JudgedGroup)
            and query.matches(found.group.key)
            and query.matches_state(found.status.state)
            and (query.since is None or found.group.last_seen >= query.since)
        )

    return event_stream(request, context, [Topic.REFUSAL], caller, matches)


@router.get("/v1/refusals/{group}", response_model=RefusalDetail)
def read_refusal(
    request: Request,
    context: Context,
    caller: Viewer,
    group: GroupId,
    *,
    changes: Annotated[
        bool, Query(description="Whether to look for changes that would allow it, which takes longest.")
    ] = True,
) -> Response:
    """One group: why it was refused, what it looks like, and the changes that would allow it."""
    judged, advice = context.refusals.advise(group, caller.permission, suggest=changes)
    store = context.service.store
    file = store.source if isinstance(store, FileStore) else None
    view = context.view(caller)
    flow = None
    if advice.request is not None:
        api = judged.group.key.api if judged.group.key.api in view.catalogue.apis else ""
        rules = Rules(api, view.catalogue, view.associations, locator(store))
        flow = flow_body(whole_flow(advice.policy, advice.request), rules)
    alike = 0
    if advice.cause is not None:
        alike = context.refusals.count_alike(judged.group, advice.cause, caller.permission)
    detail = refusal_detail(judged, advice, context.head.catalogue, file, flow, alike)
    return read_response(request, detail, in_ascii=True)


@router.post("/v1/refusals/{group}/dismiss", response_model=RefusalBody)
def dismiss_refusal(
    context: Context,
    caller: Editor,
    group: GroupId,
    body: Annotated[DismissRequest, Depends(ModelBody(DismissRequest))],
) -> Response:
    """Record that these refusals are as they should be. The catalogue does not change."""
    judged = context.refusals.dismiss(
        group, body.reason, body.note, author=caller.name, permission=caller.permission
    )
    return json_response(refusal_body(context, judged), in_ascii=True)


@router.post("/v1/refusals/{group}/reopen", response_model=RefusalBody)
def reopen_refusal(context: Context, caller: Editor, group: GroupId) -> Response:
    """Forget what was decided about a group. The catalogue does not change."""
    return json_response(
        refusal_body(context, context.refusals.reopen(group, caller.permission)), in_ascii=True
    )


def refusal_body(context: AdminContext, judged: JudgedGroup) -> RefusalBody:
    """A group as a body."""
    return refusal_bodies([judged], notes_on(context.refusals, [judged]))[0]


def _position(page: PageRequest, order: RefusalOrder) -> Position | None:
    after = page.after
    if after is None:
        return None
    *numbers, group = after.split(" ")
    # A cursor of another order has other numbers, with which no place can be compared.
    if len(numbers) != numbers_in(order) or not all(map(_NUMBER.fullmatch, numbers)):
        raise page.invalid_cursor()
    return (*map(int, numbers), group)


_NUMBER: Final = re.compile(r"-?[0-9]{1,20}", re.ASCII)
