"""The stream of everything that changes: for pages that show several kinds of things."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from crossgate.admin.auth import Viewer
from crossgate.admin.context import Context, resource_router
from crossgate.admin.event_streams import Topic
from crossgate.admin.telemetry_feeds import EVENT_STREAM, event_stream

router = resource_router("Events")


@router.get("/v1/events", response_class=Response, responses={200: EVENT_STREAM})
async def follow_events(
    request: Request,
    context: Context,
    caller: Viewer,
    topic: Annotated[list[Topic] | None, Query(description="Repeat it for more; default: all.")] = None,
) -> Response:
    """What changes, as server-sent events whose type is the topic.

    A `refusal` is a group as in `GET /v1/refusals`, `stats` one count as in `GET /v1/stats?by=hour`,
    `revision` the newest revision, and `node` a node as in `GET /v1/status`.
    `dropped` says how many were left out, because the client reads too slowly; `end` why the stream ends.
    """
    return event_stream(request, context, topic or list(Topic), caller, lambda _: True)
