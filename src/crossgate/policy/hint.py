"""What to write instead of a value that was refused, for people who ask why; it is never matched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crossgate.policy.decision import Reason
from crossgate.policy.effective import EffectivePolicy
from crossgate.policy.flow import Trace
from crossgate.policy.header_list import AUTHORIZATION
from crossgate.policy.names import ANY, NULL, is_token
from crossgate.policy.nearest import find_nearest_origin
from crossgate.policy.origin_error import find_origin_error, nearest_origin, page_entry
from crossgate.policy.request import Request
from crossgate.policy.server_cors import ServerPolicy

_LONGEST_METHOD: Final = 32
_MOST_HEADERS: Final = 10
"""Refused headers that are named."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Why a value was probably refused, and what to do about it; worded as a diagnostic is."""

    message: str
    remedy: str
    write: str | None = None
    """The value that browsers send in place of the refused one, if its spelling is wrong."""
    nearest: str | None = None
    """The allowed origin, or the wildcard, that is nearest to a refused origin."""


_OPAQUE: Final = Hint(
    "browsers send null for pages without an origin of their own: sandboxed frames, data: and file: pages, "
    "and after some redirects",
    "Serve the page from an origin of its own, and allow that one",
)
_NO_PATTERN: Final = Hint(
    "a request has one origin, without wildcards", "Write one origin, for example https://app.example.com"
)
_PLAIN_OPTIONS: Final = Hint(
    "an OPTIONS request without Origin or Access-Control-Request-Method is not a preflight",
    "Write plain_options: forward if the native service answers such requests",
)
_NOBODY: Final = Hint("the policy allows no origin", "Add the origin to the allowed origins")


def find_hint(policy: EffectivePolicy | ServerPolicy, request: Request, taken: Trace) -> Hint | None:
    """The hint for a request with that way through its flow, if one fits the refusal."""
    if taken.failed is None:
        return None
    value: str = getattr(request, taken.failed.looks_at)
    match taken.outcome.reason:
        case Reason.ORIGIN_REFUSED:
            return _origin_hint(policy, value)
        case Reason.METHOD_REFUSED:
            upper = value.upper()
            is_allowed = len(value) <= _LONGEST_METHOD and taken.failed.passes(policy)(upper)
            return _method_hint(value, upper) if is_allowed and is_token(value) else None
        case Reason.HEADER_REFUSED if taken.failed.looks_at == "request_headers":
            return _header_hint(policy, value)
        case Reason.ORIGIN_MISSING | Reason.METHOD_MISSING:
            return _PLAIN_OPTIONS
        case _:
            return None


def _header_hint(policy: EffectivePolicy | ServerPolicy, value: str) -> Hint | None:
    refused = policy.header_names.find_refused(value, _MOST_HEADERS)
    if not refused:
        return None
    listed = ", ".join(refused)
    if policy.header_names.any_name:
        if AUTHORIZATION not in refused:
            return Hint(f"not the name of a header: {listed}", "Write names of headers, separated by commas")
        return Hint("* does not cover Authorization", "Add Authorization to the allowed headers by its name")
    return Hint(f"not among the allowed headers: {listed}", f"Add {listed} to the allowed headers")


def _method_hint(value: str, upper: str) -> Hint:
    return Hint(
        f"methods are compared with their case: {upper} is allowed, {value} is not", f"Write {upper}", upper
    )


def _origin_hint(policy: EffectivePolicy | ServerPolicy, value: str) -> Hint | None:
    if value == NULL:
        return _OPAQUE
    if ANY in value:
        return _NO_PATTERN
    error = find_origin_error(value)
    if error is None:
        page = page_entry(value)
        if page is None:
            return _hint_at_nearest(policy, value)
        scheme = value.partition(":")[0]
        problem = f"no page has the scheme {scheme}; browsers send the page's origin,"
        return _hint_at_sent(policy, problem, page)
    sent = nearest_origin(value)
    if sent is None or find_origin_error(sent) is not None:
        return Hint(error.message, error.remedy)
    return _hint_at_sent(policy, f"{error.message}; browsers send", sent)


def _hint_at_sent(policy: EffectivePolicy | ServerPolicy, problem: str, sent: str) -> Hint:
    message = f"{problem} {sent}"
    if policy.origins.admits(sent) or sent in policy.public_origins:
        return Hint(f"{message}, which is allowed", f"Write {sent}", sent)
    hint = _hint_at_nearest(policy, sent)
    message = f"{message}, which is not allowed either"
    if hint is None:
        return Hint(message, f"Write {sent}", sent)
    return Hint(f"{message}; {hint.message}", f"Write {sent}. {hint.remedy}", sent, hint.nearest)


def _hint_at_nearest(policy: EffectivePolicy | ServerPolicy, value: str) -> Hint | None:
    if not policy.origins.exact and not policy.origins.by_pattern:
        return _NOBODY
    nearest = find_nearest_origin(policy, value)
    if nearest is None:
        return None
    page = page_entry(nearest.entry)
    if page is not None:
        return Hint(
            f"the nearest allowed origin is {nearest.entry}, which no browser sends: browsers send the "
            "page's origin",
            f"Write {page} instead of {nearest.entry}",
            nearest=nearest.entry,
        )
    return Hint(
        f"the nearest allowed origin is {nearest.entry}: {nearest.difference}",
        f"Allow {value} only if you trust its pages",
        nearest=nearest.entry,
    )
