"""What the policy says of one request: what happens to it, why, and which headers go back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Flow(StrEnum):
    """Which of the flows a request takes."""

    PASS_THROUGH = "pass-through"
    PREFLIGHT = "preflight"
    CORS_REQUEST = "cors-request"
    NO_ORIGIN = "no-origin"
    MALFORMED = "malformed"
    """Refused as HTTP, whatever the policy says."""

    # Enum's own is written in Python and hashes the name, at every look-up of a ruling.
    __hash__ = str.__hash__


class Reason(StrEnum):
    """Why the decision is as it is: the step of the flow at which it fell."""

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

    With a policy the answer loses every ``Access-Control-*`` header that the native service gave it, then
    gets ``headers``, and ``Origin`` is added to its ``Vary`` if ``vary``. Errors on the way get them too.
    """

    flow: Flow
    reason: Reason
    headers: tuple[Header, ...] = ()
    strip: bool = True
    vary: bool = True
    would: Answer | None = None
    """In observe mode, the answer that enforcing would have given."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The request is answered here and never reaches the native service; ``headers`` are complete."""

    flow: Flow
    reason: Reason
    status: int
    body: str
    headers: tuple[Header, ...] = ()


Decision = Forward | Answer
