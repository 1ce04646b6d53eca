"""What a decision comes to on the wire: a request left alone, a response dressed, or an answer."""

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


class Dressed(NamedTuple, Generic[AnyStr]):
    """The application is called, and its response gets the policy's headers."""

    dress: Dress[AnyStr]


class Answered(NamedTuple):
    """The application is not called; this is the response."""

    status: int
    body: bytes


Outcome = Untouched | Dressed[AnyStr] | Answered

Judged = tuple[Outcome[AnyStr], list[Header[AnyStr]]]
"""What becomes of a request, and the headers that its response gets: not to be changed."""


def judged(decision: Decision, wire: Wire[AnyStr], reason: str = "") -> Judged[AnyStr]:
    """Everything that can be worked out before the request is next seen; ``reason`` is told to the client."""
    match decision:
        case Forward(strip=False):
            return Untouched(), []
        case Forward():
            vary = [wire.marks.vary] if decision.vary else []
            return Dressed(dresser(wire.marks, vary=decision.vary)), vary + wire.write(decision.headers)
        case Answer():
            body = (f"{decision.body}\n{reason}\n" if reason else decision.body).encode()
            headers = (
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Length", str(len(body))),
                *decision.headers,
            )
            return Answered(decision.status, body), wire.write(headers)
        case _ as never:
            assert_never(never)
