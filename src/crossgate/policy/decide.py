"""The executable specification: one policy and one request give one decision."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, assert_never

from crossgate.policy import names
from crossgate.policy.decision import (
    HEADER_NOT_SUPPORTED,
    METHOD_NOT_ALLOWED,
    ORIGIN_NOT_ALLOWED,
    Answer,
    Decision,
    Flow,
    Forward,
    Outcome,
    Reason,
)
from crossgate.policy.effective import EffectivePolicy
from crossgate.policy.malformed import answer_to_malformed, exit_of_malformed
from crossgate.policy.request import OPTIONS, Request
from crossgate.policy.responses import Reflected, ResponseSettings, ResponseTemplate, response_template
from crossgate.policy.ruling import Exit, Ruling, origin_headers
from crossgate.policy.server_level import ServerPolicy, exit_at_server, ruling_of_server

# Made once: looking the members up takes longer than what is decided with them.
_PASS_THROUGH: Final = Flow.PASS_THROUGH, Reason.NO_POLICY
NO_ORIGIN: Final = Flow.NO_ORIGIN, Reason.NO_ORIGIN
_REQUEST_ALLOWED: Final = Flow.CORS_REQUEST, Reason.ORIGIN_ALLOWED
_REQUEST_REFUSED: Final = Flow.CORS_REQUEST, Reason.ORIGIN_REFUSED
_PLAIN_WITHOUT_ORIGIN: Final = Flow.NO_ORIGIN, Reason.PLAIN_OPTIONS
_PLAIN_FROM_ORIGIN: Final = Flow.CORS_REQUEST, Reason.PLAIN_OPTIONS
_ORIGIN_MISSING: Final = Flow.PREFLIGHT, Reason.ORIGIN_MISSING
_ORIGIN_REFUSED: Final = Flow.PREFLIGHT, Reason.ORIGIN_REFUSED
_METHOD_MISSING: Final = Flow.PREFLIGHT, Reason.METHOD_MISSING
_METHOD_REFUSED: Final = Flow.PREFLIGHT, Reason.METHOD_REFUSED
_HEADER_REFUSED: Final = Flow.PREFLIGHT, Reason.HEADER_REFUSED
_PREFLIGHT_ALLOWED: Final = Flow.PREFLIGHT, Reason.PREFLIGHT_ALLOWED

_PASSED_THROUGH: Final = Ruling(Forward(*_PASS_THROUGH, strip=False, vary=False))


def decide(policy: EffectivePolicy | ServerPolicy | None, request: Request) -> Decision:
    """What happens to the request.

    ``None`` is an API without a policy; a :class:`ServerPolicy` stands above all APIs and their policies.
    """
    outcome = Outcome(*find_exit(policy, request))
    settings = ResponseSettings.of(policy)
    decision = _fill(response_template(settings, outcome), outcome, request)
    return decision if settings.enforces(outcome) else observed(decision)


def _fill(template: ResponseTemplate, outcome: Outcome, request: Request) -> Decision:
    headers = tuple(
        (name, value)
        for name, template_value in template.headers
        if (value := _value(template_value, request)) is not None
    )
    if template.status is None:
        return Forward(*outcome, headers, strip=template.strip, vary=template.vary)
    vary = ((names.VARY, names.ORIGIN),) if template.vary else ()
    return Answer(*outcome, template.status, template.body, (*headers, *vary))


def _value(value: str | Reflected, request: Request) -> str | None:
    match value:
        case Reflected(header):
            return request.header(header) or None
        case str():
            return value


def observed(decision: Decision) -> Forward:
    """The decision as observe mode carries it out: passed through, with what enforcing would have done."""
    match decision:
        case Answer():
            return Forward(decision.flow, decision.reason, strip=False, vary=False, would=decision)
        case Forward():
            return replace(decision, headers=(), strip=False, vary=False)
        case _ as never:
            assert_never(never)


def find_exit(policy: EffectivePolicy | ServerPolicy | None, request: Request) -> Exit:
    """Where the request leaves its flow."""
    malformed = exit_of_malformed(request)
    if malformed is not None:
        return malformed
    match policy:
        case EffectivePolicy() if request.method == OPTIONS:
            return exit_of_options(policy, request.origin, request.request_method, request.request_headers)
        case EffectivePolicy():
            return exit_of_request(policy, request.origin)
        case ServerPolicy():
            return exit_at_server(policy, request)
        case None:
            return _PASS_THROUGH
        case _ as never:
            assert_never(never)


def _observes(policy: EffectivePolicy | ServerPolicy | None) -> bool:
    return isinstance(policy, EffectivePolicy) and policy.observes


def exit_of_request(policy: EffectivePolicy, origin: str) -> Exit:
    """For a request that is no OPTIONS: of all that it says, its origin alone matters."""
    if not origin or origin in policy.public_origins:
        return NO_ORIGIN
    return _REQUEST_ALLOWED if origin in policy.origins else _REQUEST_REFUSED


def exit_of_options(policy: EffectivePolicy, origin: str, request_method: str, request_headers: str) -> Exit:
    """For an OPTIONS request: a preflight, or what should be one."""
    if not origin or origin in policy.public_origins:
        return _PLAIN_WITHOUT_ORIGIN if policy.forwards_plain_options else _ORIGIN_MISSING
    if origin not in policy.origins:
        return _ORIGIN_REFUSED
    if not request_method:
        return _PLAIN_FROM_ORIGIN if policy.forwards_plain_options else _METHOD_MISSING
    if not policy.admits_method(request_method):
        return _METHOD_REFUSED
    if not policy.header_names.admit(request_headers):
        return _HEADER_REFUSED
    return _PREFLIGHT_ALLOWED


def ruling_at(policy: EffectivePolicy | ServerPolicy | None, place: Exit) -> Ruling:
    """What enforcing the policy comes to for the requests that leave there."""
    if place[0] is Flow.MALFORMED:
        vary = () if policy is None or _observes(policy) else policy.vary
        return Ruling(answer_to_malformed(place[1], vary))
    if policy is None:
        return _PASSED_THROUGH
    known = policy.rulings.get(place)
    if known is not None:
        return known
    if isinstance(policy, ServerPolicy):
        return policy.rulings.setdefault(place, ruling_of_server(policy, *place))
    return policy.rulings.setdefault(place, _ruling(policy, *place))


def _ruling(policy: EffectivePolicy, flow: Flow, reason: Reason) -> Ruling:
    allowed = origin_headers(policy.origins, credentials=policy.policy.allow_credentials)
    match reason:
        case Reason.ORIGIN_MISSING | Reason.METHOD_MISSING | Reason.METHOD_REFUSED:
            return Ruling(Answer(flow, reason, 405, METHOD_NOT_ALLOWED, (*policy.allow, *policy.vary)))
        case Reason.HEADER_REFUSED:
            return Ruling(Answer(flow, reason, 403, HEADER_NOT_SUPPORTED, policy.vary))
        case Reason.ORIGIN_REFUSED:
            return Ruling(Answer(flow, reason, 403, ORIGIN_NOT_ALLOWED, policy.vary))
        case Reason.PREFLIGHT_ALLOWED:
            answer = Answer(flow, reason, 200, "", policy.vary)
            return Ruling.of(answer, (*allowed, *_preflight_headers(policy)))
        case _ if flow is Flow.NO_ORIGIN:
            return Ruling(Forward(flow, reason, vary=bool(policy.vary)))
        case _:
            exposed = (names.EXPOSE_HEADERS, ", ".join(policy.policy.expose_headers))
            forward = Forward(flow, reason, vary=bool(policy.vary))
            return Ruling.of(forward, (*allowed, exposed))


def _preflight_headers(policy: EffectivePolicy) -> tuple[tuple[str, str | None], ...]:
    return (
        (names.ALLOW_METHODS, None if policy.any_method else ", ".join(policy.policy.allowed_methods)),
        (names.ALLOW_HEADERS, None if policy.any_header else ", ".join(policy.policy.allow_headers)),
        (names.MAX_AGE, "" if policy.policy.max_age is None else str(policy.policy.max_age)),
    )
