"""Decisions: what happens to a request, why, and the headers of the response."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Flow(StrEnum):
    """The kind of a request, which determines the steps that it takes."""

    PASS_THROUGH = "pass-through"
    PREFLIGHT = "preflight"
    CORS_REQUEST = "cors-request"
    NO_ORIGIN = "no-origin"
    MALFORMED = "malformed"
    """Refused before any policy applies."""

    # The hash of Enum is a Python function; outcomes are hashed at every look-up of a response.
    __hash__ = str.__hash__


class Reason(StrEnum):
    """Why: the step of the flow that determined the decision."""

    NO_POLICY = "no-policy"
    NO_ORIGIN = "no-origin"
    ORIGIN_ALLOWED = "origin-allowed"
    PREFLIGHT_ALLOWED = "preflight-allowed"
    PLAIN_OPTIONS = "plain-options"
    ORIGIN_MISSING = "origin-missing"
    ORIGIN_REFUSED = "origin-refused"
    METHOD_MISSING = "method-missing"
    METHOD_REFUSED = "method-refused"
    HEADER_REFUSED = "header-refused"
    HOST_REFUSED = "host-refused"
    PATH_MALFORMED = "path-malformed"
    METHOD_FORBIDDEN = "method-forbidden"
    HOST_MALFORMED = "host-malformed"

    __hash__ = str.__hash__


class Outcome(NamedTuple):
    """The end of a flow. Requests with the same outcome get the same response, reflected headers aside."""

    flow: Flow
    reason: Reason


Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Forward:
    """The request goes to the native service.

    With ``strip``, the native service's ``Access-Control-*`` headers are removed from the response. Then it
    gets ``headers`` and, with ``vary``, ``Origin`` in its ``Vary``. Errors of the gateway get the same.
    """

    flow: Flow
    reason: Reason
    headers: tuple[Header, ...] = ()
    strip: bool = True
    vary: bool = True
    would: Answer | None = None
    """In observe mode, the answer that enforcing the policy would have given."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The request is answered and does not reach the native service; ``headers`` are complete."""

    flow: Flow
    reason: Reason
    status: int
    body: str
    headers: tuple[Header, ...] = ()


Decision = Forward | Answer
