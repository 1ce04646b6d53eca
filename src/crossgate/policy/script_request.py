"""What a browser sends for a request of a page's script: a preflight first, if Fetch wants one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from crossgate.policy.decision import Answer
from crossgate.policy.explain import Explanation, explain
from crossgate.policy.request import OPTIONS, Request
from crossgate.policy.responses import Policy
from crossgate.policy.same_origin import says_same_origin
from crossgate.policy.server_cors import CONTENT_TYPE, SIMPLE_CONTENT_TYPES
from crossgate.policy.whole_flow import WholeFlow, whole_flow

SAFELISTED_METHODS: Final = frozenset({"GET", "HEAD", "POST"})
"""https://fetch.spec.whatwg.org/#cors-safelisted-method"""
SAFELISTED_HEADERS: Final = frozenset({"accept", "accept-language", "content-language"})
"""https://fetch.spec.whatwg.org/#cors-safelisted-request-header; `Content-Type` only with some values, and
`Range` only with some ranges: without its value, it counts as one that needs a preflight."""
_NORMALISED: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})
_LONGEST_VALUE: Final = 128


class StageName(StrEnum):
    """What a browser sends, in order."""

    PREFLIGHT = "preflight"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Stage:
    """One request that the browser sends, or would."""

    name: StageName
    request: Request
    sent: bool | None
    """None if a native service decides, whose response to the preflight is not known."""
    why: str
    """Why it is sent or not."""
    explanation: Explanation
    flow: WholeFlow


def normalise_method(method: str) -> str:
    """The method as a browser sends it (https://fetch.spec.whatwg.org/#concept-method-normalize)."""
    upper = method.upper()
    return upper if upper in _NORMALISED else method


def unsafe_headers(names: str, content_type: str = "") -> list[str]:
    """The names that need a preflight, sorted, in lower case, each once.

    https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names
    """
    found = {name.strip(" \t").lower() for name in names.split(",")} - SAFELISTED_HEADERS - {""}
    if content_type:
        found.discard(CONTENT_TYPE)
        if not is_safelisted_content_type(content_type):
            found.add(CONTENT_TYPE)
    return sorted(found)


def is_safelisted_content_type(value: str) -> bool:
    """Whether a form could send the media type (https://fetch.spec.whatwg.org/#cors-safelisted-request-header)."""
    media_type = value.partition(";")[0].strip(" \t").lower()
    return len(value) <= _LONGEST_VALUE and media_type in SIMPLE_CONTENT_TYPES


def script_stages(policy: Policy, request: Request) -> tuple[Stage, ...]:
    """The stages of a script's request: `method` and `request_headers` are what the script sets."""
    method = normalise_method(request.method)
    names = unsafe_headers(request.request_headers, request.content_type)
    real = replace(request, method=method, request_method="", request_headers="")
    if not request.origin or says_same_origin(request.sec_fetch_site):
        return (_stage(policy, StageName.REQUEST, real, "a request of the same origin needs no preflight"),)
    if method in SAFELISTED_METHODS and not names:
        return (
            _stage(policy, StageName.REQUEST, real, f"{method} without other headers needs no preflight"),
        )
    first = replace(
        request, method=OPTIONS, request_method=method, request_headers=",".join(names), content_type=""
    )
    why = (
        f"{method} needs a preflight" if method not in SAFELISTED_METHODS else f"{names[0]} needs a preflight"
    )
    preflight = _stage(policy, StageName.PREFLIGHT, first, why)
    return (preflight, _after(policy, preflight, real))


def request_stages(policy: Policy, request: Request) -> tuple[Stage, ...]:
    """The stages of a request as it arrives: a preflight is followed by the request that it asks for."""
    if not (request.method == OPTIONS and request.origin and request.request_method):
        return (_stage(policy, StageName.REQUEST, request, "as it arrives"),)
    preflight = _stage(policy, StageName.PREFLIGHT, request, "as it arrives")
    real = replace(request, method=request.request_method, request_method="", request_headers="")
    return (preflight, _after(policy, preflight, real))


def deciding_stage(stages: tuple[Stage, ...]) -> Stage:
    """The last stage that is sent, or may be."""
    return [stage for stage in stages if stage.sent is not False][-1]


def _after(policy: Policy, preflight: Stage, real: Request) -> Stage:
    decision = preflight.explanation.decision
    if not isinstance(decision, Answer):
        sent, why = None, "the native service answers the preflight"
    elif decision.status < 400:
        sent, why = True, "the preflight passed"
    else:
        sent, why = False, "the preflight failed"
    return replace(_stage(policy, StageName.REQUEST, real, why), sent=sent)


def _stage(policy: Policy, name: StageName, request: Request, why: str) -> Stage:
    return Stage(
        name,
        request,
        sent=True,
        why=why,
        explanation=explain(policy, request),
        flow=whole_flow(policy, request),
    )
