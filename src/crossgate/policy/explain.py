"""The steps of the flow that led to a decision, with the values of the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from crossgate.policy.decide import decide_outcome
from crossgate.policy.decision import Decision, Flow
from crossgate.policy.effective import EffectivePolicy
from crossgate.policy.flow import MALFORMED, FlowStep, is_same_origin, trace
from crossgate.policy.hint import Hint, find_hint
from crossgate.policy.request import Request, normalise_path
from crossgate.policy.server_cors import ServerPolicy


@dataclass(frozen=True, slots=True)
class Step:
    """One question of the flow, its answer for this request, and whether the request passed."""

    question: str
    answer: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with the steps that led to it, in order."""

    decision: Decision
    steps: tuple[Step, ...]
    hint: Hint | None = None
    """For a refused origin, method or header: what was probably meant."""


_KINDS: Final = {
    Flow.PREFLIGHT: "OPTIONS: judged as a preflight",
    Flow.CORS_REQUEST: "it has an Origin: a CORS request",
    Flow.NO_ORIGIN: "it has no Origin: no CORS request",
}


def explain(policy: EffectivePolicy | ServerPolicy | None, request: Request) -> Explanation:
    """The decision of :func:`~crossgate.policy.decide.decide` and the steps that led to it."""
    taken = trace(policy, request)
    passed = [_step(step, taken.request, passed=True) for step in taken.passed if _is_shown(step, request)]
    failed = [_step(taken.failed, taken.request, passed=False)] if taken.failed is not None else []
    http = sum(step in MALFORMED and _is_shown(step, request) for step in taken.passed)
    kind = [] if taken.outcome.flow is Flow.MALFORMED else _kind(policy, request, taken.outcome.flow)
    steps = (*passed[:http], *kind, *passed[http:], *failed)
    hint = None if policy is None else find_hint(policy, request, taken)
    return Explanation(decide_outcome(policy, taken.outcome, request), steps, hint)


def _kind(policy: EffectivePolicy | ServerPolicy | None, request: Request, flow: Flow) -> list[Step]:
    """The flow that the request takes, and why."""
    if policy is None:
        return [Step("Does the API have a policy?", "no: everything passes through", passed=True)]
    kind = Step(f"What kind of request is {request.method}?", _KINDS[flow], passed=True)
    if not request.origin or not is_same_origin(policy, request):
        return [kind]
    sign = request.origin if request.origin in policy.public_origins else "Sec-Fetch-Site is same-origin"
    return [kind, Step("Is the origin the gateway's own?", f"{sign}: counts as no Origin", passed=True)]


def _is_shown(step: FlowStep[Any], request: Request) -> bool:
    """Whether a passed step is worth a line: of the steps of every request, the one about the path only."""
    return step not in MALFORMED or (step.looks_at == "path" and request.path != "")


def _step(step: FlowStep[Any], request: Request, *, passed: bool) -> Step:
    value = getattr(request, step.looks_at)
    if step.looks_at != "path":
        return Step(step.question, value or "none", passed)
    path = normalise_path(value)
    if path is None:
        return Step("Is the path one that Envoy accepts?", value, passed)
    return Step(step.question, path, passed)
