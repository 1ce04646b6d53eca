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
    Reason,
)
from crossgate.policy.effective import EffectivePolicy
from crossgate.policy.request import OPTIONS, Request
from crossgate.policy.ruling import Ruling
from crossgate.policy.server_level import ServerPolicy, rule_for_server

PASS_THROUGH = Ruling(Forward(Flow.PASS_THROUGH, Reason.NO_POLICY, strip=False, vary=False))


def decide(policy: EffectivePolicy | ServerPolicy | None, request: Request) -> Decision:
    """What happens to the request.

    ``None`` is an API without a policy; a :class:`ServerPolicy` stands above all APIs and their policies.
    """
    asked = request.origin, request.request_method, request.request_headers
    decision = rule(policy, request.method, *asked, request.host, request.content_type).repeating(*asked)
    return observed(decision) if isinstance(policy, EffectivePolicy) and policy.observes else decision


def observed(decision: Decision) -> Forward:
    """The decision as observe mode carries it out: passed through, with what enforcing would have done."""
    match decision:
        case Answer():
            return Forward(decision.flow, decision.reason, strip=False, vary=False, would=decision)
        case Forward():
            return replace(decision, headers=(), strip=False, vary=False)
        case _ as never:
            assert_never(never)


def rule(
    policy: EffectivePolicy | ServerPolicy | None,
    method: str,
    origin: str,
    request_method: str = "",
    request_headers: str = "",
    host: str = "",
    content_type: str = "",
) -> Ruling:
    """What enforcing the policy comes to, for a request of these parts (see :class:`Request`)."""
    match policy:
        case EffectivePolicy():
            step = _step(policy, method, origin, request_method, request_headers)
            return policy.rulings.get(step) or policy.rulings.setdefault(step, _ruling(policy, *step))
        case None:
            return PASS_THROUGH
        case ServerPolicy():
            return rule_for_server(
                policy, method, origin, request_method, request_headers, host, content_type
            )
        case _ as never:
            assert_never(never)


def _step(
    policy: EffectivePolicy, method: str, origin: str, request_method: str, request_headers: str
) -> tuple[Flow, Reason]:
    """The flow that the request takes, and how it ends."""
    if origin in policy.public_origins:
        origin = ""
    if method == OPTIONS:
        return _preflight_step(policy, origin, request_method, request_headers)
    if not origin:
        return Flow.NO_ORIGIN, Reason.NO_ORIGIN
    if origin not in policy.origins:
        return Flow.CORS_REQUEST, Reason.ORIGIN_REFUSED
    return Flow.CORS_REQUEST, Reason.ORIGIN_ALLOWED


def _preflight_step(
    policy: EffectivePolicy, origin: str, request_method: str, request_headers: str
) -> tuple[Flow, Reason]:
    if not origin:
        if policy.forwards_plain_options:
            return Flow.NO_ORIGIN, Reason.PLAIN_OPTIONS
        return Flow.PREFLIGHT, Reason.ORIGIN_MISSING
    if origin not in policy.origins:
        return Flow.PREFLIGHT, Reason.ORIGIN_REFUSED
    if not request_method:
        if policy.forwards_plain_options:
            return Flow.CORS_REQUEST, Reason.PLAIN_OPTIONS
        return Flow.PREFLIGHT, Reason.METHOD_MISSING
    if not policy.admits_method(request_method):
        return Flow.PREFLIGHT, Reason.METHOD_REFUSED
    if not policy.header_names.admit(request_headers):
        return Flow.PREFLIGHT, Reason.HEADER_REFUSED
    return Flow.PREFLIGHT, Reason.PREFLIGHT_ALLOWED


def _ruling(policy: EffectivePolicy, flow: Flow, reason: Reason) -> Ruling:
    match reason:
        case Reason.ORIGIN_MISSING | Reason.METHOD_MISSING | Reason.METHOD_REFUSED:
            return Ruling(Answer(flow, reason, 405, METHOD_NOT_ALLOWED, (*policy.allow, *policy.vary)))
        case Reason.HEADER_REFUSED:
            return Ruling(Answer(flow, reason, 403, HEADER_NOT_SUPPORTED, policy.vary))
        case Reason.ORIGIN_REFUSED:
            return Ruling(Answer(flow, reason, 403, ORIGIN_NOT_ALLOWED, policy.vary))
        case Reason.PREFLIGHT_ALLOWED:
            answer = Answer(flow, reason, 200, "", policy.vary)
            return Ruling.of(answer, (*_origin_headers(policy), *_preflight_headers(policy)))
        case _ if flow is Flow.NO_ORIGIN:
            return Ruling(Forward(flow, reason, vary=bool(policy.vary)))
        case _:
            exposed = (names.EXPOSE_HEADERS, ", ".join(policy.policy.expose_headers))
            forward = Forward(flow, reason, vary=bool(policy.vary))
            return Ruling.of(forward, (*_origin_headers(policy), exposed))


def _origin_headers(policy: EffectivePolicy) -> tuple[tuple[str, str | None], ...]:
    return (
        (names.ALLOW_ORIGIN, names.ANY if policy.origins.any_origin else None),
        (names.ALLOW_CREDENTIALS, "true" if policy.policy.allow_credentials else ""),
    )


def _preflight_headers(policy: EffectivePolicy) -> tuple[tuple[str, str | None], ...]:
    return (
        (names.ALLOW_METHODS, None if policy.any_method else ", ".join(policy.policy.allowed_methods)),
        (names.ALLOW_HEADERS, None if policy.any_header else ", ".join(policy.policy.allow_headers)),
        (names.MAX_AGE, "" if policy.policy.max_age is None else str(policy.policy.max_age)),
    )
