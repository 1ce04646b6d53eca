"""Calls an ASGI application as a server does, and keeps what it sends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crossgate.middleware.asgi import AsgiApp

Lines = Iterable[tuple[str, str]]


@dataclass(slots=True)
class Called:
    """What came of one call: the messages sent, and the exception raised."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    raised: Exception | None = None

    @property
    def status(self) -> int:
        """Of the response."""
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Of the response."""
        return [(name.decode(), value.decode("latin-1")) for name, value in self.sent[0]["headers"]]

    @property
    def body(self) -> bytes:
        """Of the response."""
        return b"".join(message["body"] for message in self.sent[1:])

    def all(self, name: str) -> list[str]:
        """The values of every line of that response header."""
        return [value for found, value in self.headers if found.lower() == name.lower()]


def scope_of(method: str, headers: Lines = (), **more: object) -> dict[str, Any]:
    """An HTTP request as a server hands it over."""
    lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return {"type": "http", "method": method, "path": "/", "headers": lines, **more}


def call(app: AsgiApp, scope: Mapping[str, Any]) -> Called:
    """Serve one connection to its end."""
    called = Called()

    async def send(message: Any) -> None:
        called.sent.append(message)

    requests = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not requests:
            await asyncio.Event().wait()  # a client that stays
        return requests.pop()

    async def serve() -> None:
        try:
            await app(dict(scope), receive, send)
        except Exception as raised:  # noqa: BLE001 - the server's place
            called.raised = raised

    asyncio.run(serve())
    return called
