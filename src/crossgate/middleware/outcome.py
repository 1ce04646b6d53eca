"""What a decision comes to on the wire: a request left alone, a response dressed, or an answer.

Named tuples, because most are made for one request, and a frozen dataclass costs a microsecond to make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import AnyStr, Final, Generic, NamedTuple, assert_never

from crossgate.middleware.response_headers import Dress, Header, Marks, dresser
from crossgate.policy import Answer, Decision, Forward
from crossgate.policy.request_headers import LONGEST_LIST

LOOKED_AT: Final = LONGEST_LIST + 1
"""Bytes of a value that are read: of one too long for the engine, enough to be too long."""


@dataclass(frozen=True, slots=True)
class Wire(Generic[AnyStr]):
    """How a server protocol writes header names and values: ASGI in bytes, WSGI in text."""

    read: Callable[[AnyStr], str]
    write: Callable[[Iterable[tuple[str, str]]], list[Header[AnyStr]]]
    marks: Marks[AnyStr]


class Untouched(NamedTuple):
    """Request and response pass as they are."""

    def repeating(self, _lines: object) -> Untouched:
        """The same: there is nothing to repeat."""
        return self


class Dressed(NamedTuple, Generic[AnyStr]):
    """The application is called, and its response gets the policy's headers."""

    dress: Dress[AnyStr]
    repeated: list[Header[AnyStr]]

    def put_on(self, own: Iterable[Header[AnyStr]]) -> list[Header[AnyStr]]:
        """The headers with which a response goes out that has these of its own: a new list each time."""
        return self.dress(own, self.repeated)

    def repeating(self, lines: list[Header[AnyStr]]) -> Dressed[AnyStr]:
        """With lines that repeat what one request said."""
        return Dressed(self.dress, lines)


class Answered(NamedTuple, Generic[AnyStr]):
    """The application is not called; this is the response."""

    status: int
    headers: list[Header[AnyStr]]
    body: bytes

    def repeating(self, lines: list[Header[AnyStr]]) -> Answered[AnyStr]:
        """With lines that repeat what one request said."""
        return Answered(self.status, self.headers + lines, self.body)


Outcome = Untouched | Dressed[AnyStr] | Answered[AnyStr]


def outcome(decision: Decision, wire: Wire[AnyStr], reason: str = "") -> Outcome[AnyStr]:
    """Everything that can be worked out before the request is next seen; ``reason`` is told to the client."""
    match decision:
        case Forward(strip=False):
            return Untouched()
        case Forward():
            return Dressed(dresser(wire.write(decision.headers), wire.marks, vary=decision.vary), [])
        case Answer():
            body = (f"{decision.body}\n{reason}\n" if reason else decision.body).encode()
            headers = (
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Length", str(len(body))),
                *decision.headers,
            )
            return Answered(decision.status, wire.write(headers), body)
        case _ as never:
            assert_never(never)
