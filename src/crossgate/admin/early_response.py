"""Responses that begin before the request has ended: 401, 403, 409, 413 and others that need no body.

A server that closes a connection with unread data resets it, and the reset can destroy the response before
the client has read it. RFC 9112, §9.6, therefore asks to read on for a while:
https://www.rfc-editor.org/rfc/rfc9112#section-9.6
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_DISCARDED: Final = 64 * 1024 * 1024
"""Bytes that are read and discarded."""
DISCARD_SECONDS: Final = 10.0


class EarlyResponse:
    """ASGI middleware that sends an early response whole, then discards the rest of the request.

    The connection is closed afterwards. The response says so; a client that reads while it sends can stop.
    """

    def __init__(
        self, app: ASGIApp, max_discarded: int = MAX_DISCARDED, discard_seconds: float = DISCARD_SECONDS
    ) -> None:
        self._app = app
        self._max_discarded = max_discarded
        self._discard_seconds = discard_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request."""
        if scope["type"] != "http" or not _has_body(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        complete = early = False

        async def receive_and_note() -> Message:
            nonlocal complete
            message = await receive()
            complete = complete or not message.get("more_body", False)
            return message

        async def send_first(message: Message) -> None:
            nonlocal early
            if message["type"] == "http.response.start" and not complete:
                early = True
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
            if not (is_last and early) or complete:
                await send(message)
                return
            await send({**message, "more_body": True})
            await self._discard(receive)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app(scope, receive_and_note, send_first)

    async def _discard(self, receive: Receive) -> None:
        left = self._max_discarded
        try:
            async with asyncio.timeout(self._discard_seconds):
                while left > 0:
                    message = await receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            return


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
