"""The steps of the flow that led to a decision, in words that a person can follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crossgate.policy.decide import decide
from crossgate.policy.decision import Answer, Decision, Flow, Reason
from crossgate.policy.effective import EffectivePolicy
from crossgate.policy.request import Request
from crossgate.policy.request_path import normalise_path
from crossgate.policy.server_level import ServerPolicy


@dataclass(frozen=True, slots=True)
class Step:
    """One question of the flow, its answer for this request, and whether it let the request pass."""

    question: str
    answer: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with the steps that led there, in the order in which they were taken."""

    decision: Decision
    steps: tuple[Step, ...]


_ORDER: Final = (
    (Reason.HOST_REFUSED, "Is the Host the configured one?"),
    (Reason.ORIGIN_MISSING, "Is there an Origin?"),
    (Reason.ORIGIN_REFUSED, "Is the origin allowed?"),
    (Reason.METHOD_MISSING, "Is there an Access-Control-Request-Method?"),
    (Reason.METHOD_REFUSED, "Is the requested method allowed?"),
    (Reason.HEADER_REFUSED, "Is every requested header allowed?"),
)


def explain(policy: EffectivePolicy | ServerPolicy | None, request: Request) -> Explanation:
    """The decision, and why: it is :func:`~crossgate.policy.decide.decide`'s own, never judged anew."""
    decision = decide(policy, request)
    return Explanation(decision, tuple(_steps(policy, request, decision)))


def _steps(policy: EffectivePolicy | ServerPolicy | None, request: Request, decision: Decision) -> list[Step]:
    steps = _of_http(request, decision)
    if decision.flow is Flow.MALFORMED:
        return steps
    if policy is None:
        return [*steps, Step("Does the API have a policy?", "no: everything passes through", passed=True)]
    steps.append(_classify(request, decision))
    if request.origin and request.origin in policy.public_origins:
        steps.append(
            Step("Is the origin the gateway's own?", f"{request.origin}: counts as no Origin", passed=True)
        )
    for reason, question in _questions(policy, decision):
        failed = reason is _failure(decision)
        steps.append(Step(question, _value(reason, request, decision.flow), passed=not failed))
        if failed:
            break
    return steps


def _of_http(request: Request, decision: Decision) -> list[Step]:
    """What is asked of any request, whatever the policy; only what fails, but for the path."""
    match decision.reason:
        case Reason.METHOD_FORBIDDEN:
            return [Step("Is the method one that does not echo the request?", request.method, passed=False)]
        case Reason.HOST_MALFORMED:
            return [Step("Is the Host one host, without a user?", request.host, passed=False)]
        case _ if not request.path:
            return []
        case reason:
            path = normalise_path(request.path)
            if path is None:
                return [Step("Is the path one that Envoy accepts?", request.path, passed=False)]
            passed = reason is not Reason.PATH_MALFORMED
            return [Step("Is the path free of dot segments, also when decoded again?", path, passed=passed)]


def _classify(request: Request, decision: Decision) -> Step:
    what = {
        Flow.PREFLIGHT: "OPTIONS: judged as a preflight",
        Flow.CORS_REQUEST: "it has an Origin: a CORS request",
        Flow.NO_ORIGIN: "it has no Origin: no CORS request",
        Flow.PASS_THROUGH: "passes through",
        Flow.MALFORMED: "refused as HTTP",
    }[decision.flow]
    return Step(f"What kind of request is {request.method}?", what, passed=True)


def _failure(decision: Decision) -> Reason | None:
    """The step that stopped the request, in observe mode the one that would have; None if none did."""
    if isinstance(decision, Answer):
        return decision.reason if decision.status >= 400 else None
    if decision.would is not None:
        return _failure(decision.would)
    if decision.reason is Reason.PLAIN_OPTIONS:
        return Reason.ORIGIN_MISSING if decision.flow is Flow.NO_ORIGIN else Reason.METHOD_MISSING
    return None


def _questions(policy: EffectivePolicy | ServerPolicy, decision: Decision) -> list[tuple[Reason, str]]:
    asked = {Reason.ORIGIN_REFUSED}
    if decision.reason is Reason.NO_ORIGIN:
        asked = set()
    elif isinstance(policy, ServerPolicy):
        asked |= {Reason.METHOD_REFUSED, Reason.HEADER_REFUSED}
        asked |= {Reason.HOST_REFUSED} if policy.host else set()
    elif decision.flow is Flow.PREFLIGHT or decision.reason is Reason.PLAIN_OPTIONS:
        asked |= {Reason.ORIGIN_MISSING, Reason.METHOD_MISSING, Reason.METHOD_REFUSED, Reason.HEADER_REFUSED}
    return [(reason, question) for reason, question in _ORDER if reason in asked]


def _value(reason: Reason, request: Request, flow: Flow) -> str:
    """What of the request the question is about; server-level CORS asks requests too, not only preflights."""
    preflight = flow is Flow.PREFLIGHT
    values = {
        Reason.HOST_REFUSED: request.host,
        Reason.ORIGIN_MISSING: request.origin,
        Reason.ORIGIN_REFUSED: request.origin,
        Reason.METHOD_MISSING: request.request_method,
        Reason.METHOD_REFUSED: request.request_method if preflight else request.method,
        Reason.HEADER_REFUSED: request.request_headers if preflight else request.content_type,
    }
    return values[reason] or "none"
