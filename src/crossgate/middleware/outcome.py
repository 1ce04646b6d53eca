"""What a decision comes to on the wire: a request left alone, a response dressed, or an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import AnyStr, Generic, assert_never

from crossgate.middleware.response_headers import Marks, PutOn, dresser
from crossgate.policy import Answer, Decision, EffectivePolicy, Forward, Request, ServerPolicy, explain
from crossgate.policy.request import OPTIONS


@dataclass(frozen=True, slots=True)
class Wire(Generic[AnyStr]):
    """How a server protocol writes header names and values: ASGI in bytes, WSGI in text."""

    read: Callable[[AnyStr], str]
    write: Callable[[Iterable[tuple[str, str]]], list[tuple[AnyStr, AnyStr]]]
    marks: Marks[AnyStr]


@dataclass(frozen=True, slots=True)
class Untouched:
    """Request and response pass as they are."""

    note: str


@dataclass(frozen=True, slots=True)
class Dressed(Generic[AnyStr]):
    """The application is called, and its response gets the policy's headers."""

    put_on: PutOn[AnyStr]


@dataclass(frozen=True, slots=True)
class Answered(Generic[AnyStr]):
    """The application is not called; this is the response."""

    status: int
    headers: list[tuple[AnyStr, AnyStr]]
    body: bytes
    note: str


Outcome = Untouched | Dressed[AnyStr] | Answered[AnyStr]
"""``note`` is what is to be logged of the request, or empty."""


def outcome(
    policy: EffectivePolicy | ServerPolicy | None,
    request: Request,
    decision: Decision,
    wire: Wire[AnyStr],
    *,
    debug: bool,
) -> Outcome[AnyStr]:
    """Everything that can be worked out before the request is next seen."""
    match decision:
        case Forward(strip=False):
            return Untouched(_observed(request, decision))
        case Forward():
            return Dressed(dresser(wire.write(decision.headers), wire.marks, vary=decision.vary))
        case Answer():
            refused = debug and decision.status >= 400
            reason = _failing_step(policy, request) if refused else ""
            body = (f"{decision.body}\n{reason}\n" if reason else decision.body).encode()
            headers = (
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Length", str(len(body))),
                *decision.headers,
            )
            return Answered(
                decision.status,
                wire.write(headers),
                body,
                f"refused: {_said_of(request)}: {decision.body} ({reason})" if refused else "",
            )
        case _ as never:
            assert_never(never)


def _failing_step(policy: EffectivePolicy | ServerPolicy | None, request: Request) -> str:
    """The reason and the failed step in our own words; nothing that the request said is repeated."""
    explanation = explain(policy, request)
    return f"{explanation.decision.reason}: {explanation.steps[-1].question} No."


def _observed(request: Request, decision: Forward) -> str:
    would = decision.would
    if would is None or would.status < 400:
        return ""
    return f"observed: {_said_of(request)}: {would.status} {would.body} ({would.reason})"


def _said_of(request: Request) -> str:
    """In quotes and escaped: a log line stays one line, whatever the request holds."""
    kind = "OPTIONS request" if request.method == OPTIONS else "request"
    return f"{kind} from {request.origin[:200]!a}"
