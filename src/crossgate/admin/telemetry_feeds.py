"""What the event streams read, and the response that carries a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from crossgate.admin.context import AdminContext, Nodes
from crossgate.admin.event_streams import EventStreams, StreamItem, StreamLimits, Topic
from crossgate.admin.refusal_bodies import notes_on, refusal_bodies
from crossgate.compiler.route_names import DecisionSeries
from crossgate.service.errors import NotFound
from crossgate.service.permission import EVERYTHING
from crossgate.service.ports import NodeStanding
from crossgate.service.refusal_query import RefusalQuery
from crossgate.service.refusal_service import RefusalService
from crossgate.service.tokens import Token, Tokens

EVENT_STREAM: Final[dict[str, Any]] = {
    "description": "Server-sent events; their data is JSON. `Last-Event-ID` continues after an interruption.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


def event_streams(
    refusals: RefusalService, nodes: Nodes, tokens: Tokens, limits: StreamLimits | None = None
) -> EventStreams:
    """The event streams of one control plane."""

    def read_refusals(since: datetime, keys: Sequence[str]) -> list[StreamItem]:
        found = refusals.find(RefusalQuery(since=since), EVERYTHING)
        read = {one.group.key.id for one in found}
        for key in keys:
            if key not in read:
                with suppress(NotFound):
                    found.append(refusals.get(key, EVERYTHING))
        notes = notes_on(refusals, found)
        return [
            StreamItem(one.group.key.id, one.group.key.api, one, body.model_dump(mode="json"))
            for one, body in zip(found, refusal_bodies(found, notes), strict=True)
        ]

    def read_stats(since: datetime, keys: Sequence[str]) -> list[StreamItem]:
        del keys
        decisions = refusals.decisions(since, datetime.now(UTC) + timedelta(hours=1), EVERYTHING)
        return [
            StreamItem(repr((hour, series)), series.api, series, series_fields(series, count, hour))
            for (hour, series), count in decisions.items()
        ]

    def read_revision(since: datetime, keys: Sequence[str]) -> list[StreamItem]:
        del since, keys
        head = refusals.catalogue.store.head
        return [StreamItem("", "", head, {"revision": head.revision}, for_all=True)]

    def read_nodes(since: datetime, keys: Sequence[str]) -> list[StreamItem]:
        del since, keys
        head = refusals.catalogue.store.head.revision
        return [
            StreamItem(f"{number}", "", one, node_fields(one, head), for_all=True)
            for number, one in enumerate(nodes.standings())
        ]

    def watch(callback: Callable[[str], None]) -> Callable[[], None]:
        removals = (refusals.watch(callback), nodes.watch(lambda: callback("")))

        def remove() -> None:
            for one in removals:
                one()

        return remove

    feeds = {
        Topic.REFUSAL: read_refusals,
        Topic.STATS: read_stats,
        Topic.REVISION: read_revision,
        Topic.NODE: read_nodes,
    }
    return EventStreams(feeds, watch, tokens, limits)


def node_fields(one: NodeStanding, head: int) -> dict[str, object]:
    """One node in short, as JSON-ready values."""
    return {"node": one.node, "revision": one.revision, "state": one.state(head), "rejected": one.rejected}


def series_fields(
    series: DecisionSeries, decisions: int, hour: datetime | None = None, node: str | None = None
) -> dict[str, object]:
    """One count as JSON-ready values."""
    return {
        "api": series.api,
        "endpoint": series.endpoint,
        "flow": series.flow,
        "reason": series.reason,
        "observed": series.observed,
        "hour": None if hour is None else hour.isoformat().replace("+00:00", "Z"),
        "node": node,
        "decisions": decisions,
    }


def event_stream(
    request: Request,
    context: AdminContext,
    topics: Collection[Topic],
    caller: Token,
    matches: Callable[[StreamItem], bool],
) -> Response:
    """The response to a client that follows some topics; raises TooManyStreams."""
    assert context.streams is not None  # noqa: S101 - these routes are never left to a worker
    last_event_id = request.headers.get("last-event-id", "")
    return _EventResponse(*context.streams.open(frozenset(topics), caller, matches, last_event_id))


class _EventResponse(StreamingResponse):
    """A stream of events.

    A client can disconnect while the head of the response waits for an earlier response on the connection:
    then the iterator never begins. So the client's place is given back here.
    """

    def __init__(self, events: AsyncIterator[bytes], leave: Callable[[], None]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events until the client disconnects."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()
