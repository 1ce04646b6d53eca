"""What a native service receives and what it answers.

Knows HTTP messages as values; knows no socket and no service.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came off the wire: header lines in their order, duplicates kept."""

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
        """Every parameter of the query, in order; one without a value has an empty one."""
        return tuple(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def header_lines(self, name: str) -> tuple[str, ...]:
        """The value of every line of that header, compared without case."""
        return tuple(value for key, value in self.headers if key.lower() == name.lower())

    def header(self, name: str) -> str | None:
        """The values of that header joined by a comma, or None when there is none."""
        lines = self.header_lines(name)
        return ", ".join(lines) if lines else None

    def public_url(self, prefix: str) -> str:
        """Where the caller reached this service, ``prefix`` being its own base path.

        The gateway says so in ``X-Forwarded-*``; without them it is where the request itself went. Only for
        services behind a gateway that sets these headers: a caller could forge them otherwise.
        """
        scheme = self.header("X-Forwarded-Proto") or "http"
        host = self.header("X-Forwarded-Host") or self.header("Host") or "localhost"
        return f"{scheme}://{host}{self.header('X-Forwarded-Prefix') or prefix}"


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; ``Content-Length`` and ``Date`` are added when it is written."""

    status: int = 200
    headers: Headers = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Hangup:
    """No proper answer: ``sent`` goes out as it is, then the connection is closed."""

    sent: bytes = b""


Answer = Response | Hangup
Application = Callable[[Request], Answer]


def json_response(value: object, status: int = 200, headers: Headers = ()) -> Response:
    """``value`` as a JSON document."""
    body = json.dumps(value, ensure_ascii=False).encode() + b"\n"
    return Response(status, (("Content-Type", "application/json"), *headers), body)
