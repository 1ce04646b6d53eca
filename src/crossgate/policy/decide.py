"""The executable specification: one policy and one request give one decision."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from crossgate.policy import names
from crossgate.policy.decision import (
    HEADER_NOT_SUPPORTED,
    METHOD_NOT_ALLOWED,
    ORIGIN_NOT_ALLOWED,
    Answer,
    Decision,
    Flow,
    Forward,
    Header,
    Reason,
)
from crossgate.policy.effective import EffectivePolicy
from crossgate.policy.request import OPTIONS, Request
from crossgate.policy.server_level import ServerPolicy, decide_for_server

PASS_THROUGH = Forward(Flow.PASS_THROUGH, Reason.NO_POLICY, strip=False, vary=False)


def decide(policy: EffectivePolicy | ServerPolicy | None, request: Request) -> Decision:
    """What happens to the request.

    ``None`` is an API without a policy; a :class:`ServerPolicy` stands above all APIs and their policies.
    """
    match policy:
        case None:
            return PASS_THROUGH
        case ServerPolicy():
            return decide_for_server(policy, request)
        case EffectivePolicy():
            decision = _decide(policy, request)
            return observed(decision) if policy.observes else decision
        case _ as never:
            assert_never(never)


def observed(decision: Decision) -> Forward:
    """The decision as observe mode carries it out: passed through, with what enforcing would have done."""
    match decision:
        case Answer():
            return Forward(decision.flow, decision.reason, strip=False, vary=False, would=decision)
        case Forward():
            return replace(decision, headers=(), strip=False, vary=False)
        case _ as never:
            assert_never(never)


def _decide(policy: EffectivePolicy, request: Request) -> Decision:
    origin = "" if request.origin in policy.public_origins else request.origin
    if request.method == OPTIONS:
        return _preflight(policy, request, origin)
    if not origin:
        return _forward(policy, Flow.NO_ORIGIN, Reason.NO_ORIGIN)
    if origin not in policy.origins:
        return _refuse(policy, Flow.CORS_REQUEST, Reason.ORIGIN_REFUSED)
    return _forward(policy, Flow.CORS_REQUEST, Reason.ORIGIN_ALLOWED, origin)


def _preflight(policy: EffectivePolicy, request: Request, origin: str) -> Decision:
    if not origin:
        if policy.forwards_plain_options:
            return _forward(policy, Flow.NO_ORIGIN, Reason.PLAIN_OPTIONS)
        return _refuse(policy, Flow.PREFLIGHT, Reason.ORIGIN_MISSING)
    if origin not in policy.origins:
        return _refuse(policy, Flow.PREFLIGHT, Reason.ORIGIN_REFUSED)
    if not request.request_method:
        if policy.forwards_plain_options:
            return _forward(policy, Flow.CORS_REQUEST, Reason.PLAIN_OPTIONS, origin)
        return _refuse(policy, Flow.PREFLIGHT, Reason.METHOD_MISSING)
    if not policy.admits_method(request.request_method):
        return _refuse(policy, Flow.PREFLIGHT, Reason.METHOD_REFUSED)
    if not policy.header_names.admit(request.request_headers):
        return _refuse(policy, Flow.PREFLIGHT, Reason.HEADER_REFUSED)
    headers = (*_preflight_headers(policy, request, origin), *policy.vary)
    return Answer(Flow.PREFLIGHT, Reason.PREFLIGHT_ALLOWED, 200, "", headers)


def _forward(policy: EffectivePolicy, flow: Flow, reason: Reason, origin: str = "") -> Forward:
    headers = (*_origin_headers(policy, origin), *_expose_headers(policy)) if origin else ()
    return Forward(flow, reason, headers, vary=bool(policy.vary))


def _refuse(policy: EffectivePolicy, flow: Flow, reason: Reason) -> Answer:
    match reason:
        case Reason.ORIGIN_MISSING | Reason.METHOD_MISSING | Reason.METHOD_REFUSED:
            return Answer(flow, reason, 405, METHOD_NOT_ALLOWED, (*policy.allow, *policy.vary))
        case Reason.HEADER_REFUSED:
            return Answer(flow, reason, 403, HEADER_NOT_SUPPORTED, policy.vary)
        case _:
            return Answer(flow, reason, 403, ORIGIN_NOT_ALLOWED, policy.vary)


def _origin_headers(policy: EffectivePolicy, origin: str) -> tuple[Header, ...]:
    allowed = names.ANY if policy.origins.any_origin else origin
    if policy.policy.allow_credentials:
        return (names.ALLOW_ORIGIN, allowed), (names.ALLOW_CREDENTIALS, "true")
    return ((names.ALLOW_ORIGIN, allowed),)


def _expose_headers(policy: EffectivePolicy) -> tuple[Header, ...]:
    exposed = policy.policy.expose_headers
    return ((names.EXPOSE_HEADERS, ", ".join(exposed)),) if exposed else ()


def _preflight_headers(policy: EffectivePolicy, request: Request, origin: str) -> tuple[Header, ...]:
    methods = request.request_method if policy.any_method else ", ".join(policy.policy.allowed_methods)
    allowed = request.request_headers if policy.any_header else ", ".join(policy.policy.allow_headers)
    max_age = "" if policy.policy.max_age is None else str(policy.policy.max_age)
    listed = ((names.ALLOW_METHODS, methods), (names.ALLOW_HEADERS, allowed), (names.MAX_AGE, max_age))
    return (*_origin_headers(policy, origin), *((name, value) for name, value in listed if value))
