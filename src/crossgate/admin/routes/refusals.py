"""Routes of refusals: the groups of refused requests, and what is decided about them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from crossgate.admin.auth import Editor, Viewer
from crossgate.admin.body import ModelBody
from crossgate.admin.context import AdminContext, Context, resource_router
from crossgate.admin.event_streams import StreamItem, Topic
from crossgate.admin.paging import Page, PageBody, PageRequest, cursor_after
from crossgate.admin.refusal_bodies import (
    OtherRefusalsBody,
    RefusalBody,
    RefusalDetail,
    other_refusals,
    refusal_bodies,
    refusal_detail,
)
from crossgate.admin.responses import json_response, read_response
from crossgate.admin.telemetry_feeds import EVENT_STREAM, event_stream
from crossgate.policy import Reason
from crossgate.service.catalogue_service import MAX_MESSAGE
from crossgate.service.file_store import FileStore
from crossgate.service.refusal_index import JudgedGroup
from crossgate.service.refusal_query import RefusalOrder, RefusalQuery
from crossgate.service.refusal_states import GroupState
from crossgate.service.refusals import DismissalReason

if TYPE_CHECKING:
    pass

router = resource_router("Refusals")
GroupId = Annotated[str, Path(max_length=100, description="The id of a group: hexadecimal digits.")]
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


class RefusalPage(PageBody[RefusalBody]):
    """Groups of refused requests, the most frequent first."""

    others: list[OtherRefusalsBody]
    """Refusals that match too, and whose groups were not kept because there were too many."""


class DismissRequest(BaseModel):
    """Why refusals are as they should be."""

    model_config = ConfigDict(extra="forbid")

    reason: DismissalReason
    note: str = Field(default="", max_length=MAX_MESSAGE)


def as_utc(time: datetime | None) -> datetime | None:
    """A time from a request; without a time zone it is UTC."""
    if time is None:
        return None
    return min(time.replace(tzinfo=UTC) if time.tzinfo is None else time, _LATEST).astimezone(UTC)


async def refusal_query(
    api: Annotated[
        str, Query(max_length=500, description="`name/version` of an API, or `server-level`.")
    ] = "",
    since: Annotated[datetime | None, Query(description="Seen at that time or later.")] = None,
    reason: Annotated[Reason | None, Query(description="The step that refused them.")] = None,
    state: Annotated[
        list[GroupState] | None,
        Query(description="Repeat it for more; default: any. `open` finds `reopened` ones too."),
    ] = None,
    origin: Annotated[str, Query(max_length=300, description="A part of the origin.")] = "",
    observed: Annotated[bool | None, Query(description="Whether observe mode forwarded them.")] = None,
) -> RefusalQuery:
    """The filters of lists and events."""
    return RefusalQuery(api, as_utc(since), reason or "", frozenset(state or ()), origin, observed)


Filters = Annotated[RefusalQuery, Depends(refusal_query)]


@router.get("/v1/refusals", response_model=RefusalPage)
def list_refusals(request: Request, context: Context, caller: Viewer, query: Filters, page: Page) -> Response:
    """Groups of refused requests, the most frequent first. Counts go on, so that pages can overlap."""
    found = context.refusals.find_some(
        query, caller.permission, RefusalOrder.COUNT, limit=page.limit, after=_position(page)
    )
    nearest = context.refusals.nearest([one.group for one in found.groups])
    body = RefusalPage(
        items=refusal_bodies(found.groups, nearest),
        next=None if found.last is None else cursor_after(f"{-int(found.last[0])} {found.last[1]}"),
        others=other_refusals(context.refusals.others(query, caller.permission)),
    )
    return read_response(request, body, in_ascii=True)


@router.get("/v1/refusals/events", response_class=Response, responses={200: EVENT_STREAM})
async def follow_refusals(request: Request, context: Context, caller: Viewer, query: Filters) -> Response:
    """Groups whenever they change, as server-sent events of the type `refusal`: each is a group as in lists.

    `dropped` says how many were left out, because the client reads too slowly; `end` why the stream ends.
    """

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
def read_refusal(request: Request, context: Context, caller: Viewer, group: GroupId) -> Response:
    """One group: why it was refused, what it looks like, and the changes that would allow it."""
    judged, advice = context.refusals.advise(group, caller.permission)
    store = context.service.store
    file = store.source if isinstance(store, FileStore) else None
    return read_response(request, refusal_detail(judged, advice, context.head.catalogue, file), in_ascii=True)


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
    return refusal_bodies([judged], context.refusals.nearest([judged.group]))[0]


def _position(page: PageRequest) -> tuple[int, str] | None:
    after = page.after
    if after is None:
        return None
    count, _, group = after.partition(" ")
    if not (count.isascii() and count.isdigit() and len(count) <= 20):
        raise page.invalid_cursor()
    return -int(count), group
