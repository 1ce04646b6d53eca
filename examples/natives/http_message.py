"""HTTP messages as values: what a native service receives and returns."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as received, with all header lines in their order."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""

    @property
    def path(self) -> str:
        """The decoded path, without the query."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """Every parameter of the query, in order; a parameter without a value has an empty one."""
        return tuple(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def header_lines(self, name: str) -> tuple[str, ...]:
        """The value of every line of a header, whose name is case-insensitive."""
        return tuple(value for key, value in self.headers if key.lower() == name.lower())

    def header(self, name: str) -> str | None:
        """The values of a header joined by commas, or None if it is missing."""
        lines = self.header_lines(name)
        return ", ".join(lines) if lines else None

    def public_url(self, prefix: str) -> str:
        """The service's URL as the client used it, with ``prefix`` as the service's own base path.

        It comes from ``X-Forwarded-*`` or, without them, from the request. Clients can forge these headers
        unless a gateway sets them.
        """
        scheme = self.header("X-Forwarded-Proto") or "http"
        host = self.header("X-Forwarded-Host") or self.header("Host") or "localhost"
        return f"{scheme}://{host}{self.header('X-Forwarded-Prefix') or prefix}"


@dataclass(frozen=True, slots=True)
class Response:
    """A response; ``Content-Length`` and ``Date`` are added when it is written."""

    status: int = 200
    headers: Headers = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Hangup:
    """Not a response: ``sent`` is written unchanged, then the connection is closed."""

    sent: bytes = b""


Answer = Response | Hangup
Application = Callable[[Request], Answer]


def json_response(value: object, status: int = 200, headers: Headers = ()) -> Response:
    """A response with ``value`` as JSON."""
    body = json.dumps(value, ensure_ascii=False).encode() + b"\n"
    return Response(status, (("Content-Type", "application/json"), *headers), body)
