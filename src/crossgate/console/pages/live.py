"""What keeps an open page current: the stream of events, and the frame for pages that follow nothing else."""

from __future__ import annotations

from typing import Final

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Message, Receive, Scope, Send

from crossgate.console.api import InProcessApi, Query
from crossgate.console.page import Page, page
from crossgate.console.sign_in import EVENTS, secret_of
from crossgate.service.sessions import Sessions

CALL: Final = "/v1/events"


async def show_frame(found: Page) -> Response:
    """Navigation and foot alone."""
    return await found.show("frame.html", title="Crossgate", call="")


async def follow_events(found: Page) -> Response:
    """The events of `GET /v1/events`, for as long as the session lasts."""
    request = found.request
    last = request.headers.get("last-event-id") or found.query.get("last-event-id", "")
    headers = {"last-event-id": last} if last.isascii() and last.isdigit() else {}
    query = {"topic": request.query_params.getlist("topic")}
    sessions: Sessions = request.app.state.sessions
    return _Events(found.api, query, headers, sessions, secret_of(request))


class _SessionEndedError(Exception):
    pass


class _Events(Response):
    """The API's stream. It ends with the session, at the next event or heartbeat."""

    def __init__(
        self, api: InProcessApi, query: Query, headers: dict[str, str], sessions: Sessions, secret: str
    ) -> None:
        self.background: BackgroundTask | None = None
        self._api = api
        self._query = query
        self._headers_sent = headers
        self._sessions = sessions
        self._secret = secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward events until the client leaves."""
        del scope

        async def send_while_signed_in(message: Message) -> None:
            if message["type"] == "http.response.body" and not await run_in_threadpool(
                self._sessions.holds, self._secret
            ):
                raise _SessionEndedError
            await send(message)

        try:
            await self._api.forward(CALL, self._query, self._headers_sent, receive, send_while_signed_in)
        except _SessionEndedError:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


routes: Final[list[BaseRoute]] = [page(EVENTS, follow_events), page("/frame", show_frame)]
