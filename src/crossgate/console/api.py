"""The admin API as the pages see it: called in the same process, as the signed-in caller.

So that the console can do what a client of the API can, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import anyio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crossgate.service.tokens import Token

Query = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class InProcessResponse:
    """The response to one call."""

    status: int
    headers: Headers
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.status < 400

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)

    @property
    def etag(self) -> str:
        """The `ETag` header as sent, with quotes; empty if there is none."""
        return self.headers.get("etag", "")

    @property
    def revision(self) -> int | None:
        """The newest revision after a write."""
        value = self.headers.get("crossgate-revision")
        return None if value is None else int(value)


class ApiProblem(Exception):  # noqa: N818 - named as in RFC 9457
    """A call that the API refused; the body is a problem (RFC 9457)."""

    def __init__(self, response: InProcessResponse) -> None:
        super().__init__(response.status)
        self.response = response
        self.status = response.status
        problem: dict[str, Any] = {}
        with suppress(ValueError):
            problem = response.json
        self.title: str = problem.get("title", "")
        self.detail: str = problem.get("detail", "")
        self.diagnostics: Sequence[Mapping[str, Any]] = problem.get("diagnostics", ())
        self.problem = problem

    @property
    def unconfirmed(self) -> bool:
        """Whether the call would succeed with `confirm=true`."""
        return "confirmation" in self.problem


@dataclass(frozen=True, slots=True)
class InProcessApi:
    """The admin API, called as one caller."""

    app: ASGIApp
    """The API's routes, without authentication."""
    state: Mapping[str, object]
    """The state of a request that was authenticated as the caller."""

    async def get(self, path: str, query: Query | None = None) -> Any:
        """The JSON of a resource.

        Raises:
            ApiProblem: the API refuses the call.

        """
        return (await self.read("GET", path, query=query)).json

    async def read(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> InProcessResponse:
        """The response to a call that must succeed.

        Raises:
            ApiProblem: the API refuses the call.

        """
        response = await self.call(method, path, query=query, body=body, headers=headers)
        if not response.ok:
            raise ApiProblem(response)
        return response

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> InProcessResponse:
        """The response to any call. ``body`` is sent as JSON; bytes and strings as they are.

        ``path`` is decoded: names in it are quoted here. Values of the query that are None or empty are left
        out; a list repeats its key.
        """
        content, kind = _encode(body)
        scope = self._scope(
            method, path, query, {"content-type": kind, **(headers or {})} if kind else headers
        )
        started: Message = {}
        chunks: list[bytes] = []
        sent = False

        async def receive() -> Message:
            nonlocal sent
            if sent:
                await anyio.sleep_forever()  # the client stays connected until it has the response
            sent = True
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            else:
                chunks.append(message.get("body", b""))

        await self.app(scope, receive, send)
        return InProcessResponse(started["status"], Headers(raw=list(started["headers"])), b"".join(chunks))

    async def forward(
        self, path: str, query: Query | None, headers: Mapping[str, str], receive: Receive, send: Send
    ) -> None:
        """Let the API answer a browser's GET itself, such as a stream of events."""
        await self.app(self._scope("GET", path, query, headers), receive, send)

    def _scope(self, method: str, path: str, query: Query | None, headers: Mapping[str, str] | None) -> Scope:
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http",
            "root_path": "",
            "method": method,
            "path": path,
            "raw_path": quote(path).encode(),
            "query_string": encode_query(query).encode(),
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in (headers or {}).items()
            ],
            "state": dict(self.state),
        }


def encode_query(query: Query | None) -> str:
    """A query string; what is None or empty is left out, a list repeats its key."""
    present = {key: value for key, value in (query or {}).items() if value not in (None, "", [], ())}
    return urlencode(present, doseq=True)


def _encode(body: object) -> tuple[bytes, str]:
    match body:
        case None:
            return b"", ""
        case bytes():
            return body, ""
        case str():
            return body.encode(), "application/yaml"
        case _:
            return json.dumps(body).encode(), "application/json"


CallApi = Callable[[Token], InProcessApi]
"""Returns the API as a caller sees it."""
