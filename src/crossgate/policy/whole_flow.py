"""Every step of the flow that a request takes, reached or not, for the flow charts.

The questions are those of :mod:`crossgate.policy.flow`. A request whose flow has no step, because it has no
``Origin`` or the API no policy, is shown before the question that led it there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from crossgate.policy.cors_policy import CorsPolicy
from crossgate.policy.decide import decide_outcome
from crossgate.policy.decision import Decision, Flow
from crossgate.policy.effective import EffectivePolicy
from crossgate.policy.flow import (
    HAS_ORIGIN,
    HAS_POLICY,
    MALFORMED,
    NO_POLICY,
    PREFLIGHT,
    FlowStep,
    FlowTable,
    choose_flow,
    is_same_origin,
)
from crossgate.policy.origin_pattern import ExactOrigin, NullOrigin
from crossgate.policy.origin_set import OriginSet
from crossgate.policy.request import OPTIONS, Request
from crossgate.policy.responses import Policy
from crossgate.policy.server_cors import ServerPolicy

_NAMED: Final = 6
"""Allowed methods and refused headers that are named."""


class StepState(StrEnum):
    """What became of a request at a step."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not-reached"


@dataclass(frozen=True, slots=True)
class ChartStep:
    """One step of the flow."""

    question: str
    state: StepState
    value: str
    """What the request has there; empty if it has none, or the step was not reached."""
    found: str
    """The value, or why it fails, in words."""
    fails: Decision
    """On the requests that fail here."""
    rule: str
    """The property of the policy, or the setting, that decides; empty if none does."""
    entry: int | None = None
    """The index in the rule's list of the entry that matches."""


@dataclass(frozen=True, slots=True)
class WholeFlow:
    """All steps of a flow, and its end."""

    flow: Flow
    steps: tuple[ChartStep, ...]
    passed: Decision
    """On the requests that pass all steps."""
    reached_end: bool

    @property
    def failed(self) -> int | None:
        """The number of the step that the request fails, from 1."""
        numbers = (n for n, step in enumerate(self.steps, 1) if step.state is StepState.FAILED)
        return next(numbers, None)

    @property
    def decision(self) -> Decision | None:
        """What the steps lead to; None for a flow that no request takes."""
        if self.reached_end:
            return self.passed
        return None if self.failed is None else self.steps[self.failed - 1].fails


def whole_flow(policy: Policy, request: Request) -> WholeFlow:
    """The steps of the flow that the request takes."""
    own = bool(request.origin) and policy is not None and is_same_origin(policy, request)
    seen = replace(request, origin="") if own else request
    steps: list[ChartStep] = []
    failed = False
    for step in _steps(policy, seen):
        found = ChartStep(
            step.question, StepState.NOT_REACHED, "", "not reached", _fails(step, policy, request), step.rule
        )
        if not failed:
            value: str = getattr(seen, step.looks_at)
            failed = not step.passes(policy)(value)
            found = _reached(
                found, step, policy, value, own=own and step.looks_at == "origin", passed=not failed
            )
        if step not in MALFORMED or found.state is StepState.FAILED:
            steps.append(found)
    table = _table(policy, seen)
    passed = decide_outcome(policy, table.passed, request)
    return WholeFlow(table.passed.flow, tuple(steps), passed, not failed)


def blank_flow(policy: Policy, flow: Flow) -> WholeFlow:
    """The steps of a flow before any request; of an API's policy without one."""
    policy = EffectivePolicy(CorsPolicy()) if policy is None else policy
    method = OPTIONS if flow is Flow.PREFLIGHT else "GET"
    request = Request(method, request_method="GET" if flow is Flow.PREFLIGHT else "")
    table = _table(policy, request)
    steps = tuple(
        ChartStep(step.question, StepState.NOT_REACHED, "", "", _fails(step, policy, request), step.rule)
        for step in _steps(policy, request)
        if step not in MALFORMED
    )
    return WholeFlow(
        table.passed.flow, steps, decide_outcome(policy, table.passed, request), reached_end=False
    )


def _table(policy: Policy, request: Request) -> FlowTable[Any]:
    """The flow, as if the request had an Origin: without one, the flow has no steps to show."""
    return choose_flow(policy, request if request.origin else replace(request, origin="null"))


def _steps(policy: Policy, request: Request) -> Iterator[FlowStep[Any]]:
    table = _table(policy, request)
    yield from MALFORMED
    if table is NO_POLICY:
        yield HAS_POLICY
    elif table is not PREFLIGHT:
        yield HAS_ORIGIN
    for step in table.steps:
        if step.configured is None or step.configured(policy):
            yield step


def _fails(step: FlowStep[Any], policy: Policy, request: Request) -> Decision:
    return decide_outcome(policy, step.outcome_under(policy), request)


def _reached(
    shown: ChartStep, step: FlowStep[Any], policy: Policy, value: str, *, own: bool, passed: bool
) -> ChartStep:
    state = StepState.PASSED if passed else StepState.FAILED
    found = value or "none"
    entry = None
    if step is HAS_POLICY:
        value, found = "", "no"
    elif own:
        found = "the gateway's own: counts as none"
    elif not passed:
        found = _why(step, policy, value)
    elif step.rule.endswith(("allowed_origins", "allowedOrigins")):
        entry = find_entry(policy, value)
    return replace(shown, state=state, value=value, found=found, entry=entry)


def _why(step: FlowStep[Any], policy: Policy, value: str) -> str:
    """Why the value fails, in words."""
    match step.rule.rpartition(".")[2]:
        case "allowed_origins" | "allowedOrigins":
            return "no entry matches" if _has_origins(policy) else "no origin is allowed"
        case "allowed_methods" | "supportedMethods":
            allowed = _methods(policy)
            return f"not one of {_listed(allowed)}" if allowed else "no method is allowed"
        case "allow_headers" | "supportedHeaders" if step.looks_at == "request_headers":
            refused = _refused_headers(policy, value)
            return f"{_listed(refused)} not allowed" if refused else "not a list of allowed names"
        case "host" if isinstance(policy, ServerPolicy):
            return f"not {policy.host}"
        case _:
            return value or "none"


def _has_origins(policy: Policy) -> bool:
    return policy is not None and bool(policy.origins.exact or policy.origins.by_pattern)


def _methods(policy: Policy) -> Sequence[str]:
    match policy:
        case EffectivePolicy():
            return policy.policy.allowed_methods
        case ServerPolicy():
            return policy.supported_methods
        case None:
            return ()


def _refused_headers(policy: Policy, value: str) -> Sequence[str]:
    return () if policy is None else policy.header_names.find_refused(value, _NAMED + 1)


def _listed(values: Sequence[str]) -> str:
    more = len(values) - _NAMED
    shown = ", ".join(values[:_NAMED])
    return f"{shown} and more" if more > 0 else shown


def find_entry(policy: Policy, origin: str) -> int | None:
    """The index of the first of the policy's own entries that admits the origin."""
    if policy is None:
        return None
    entries = (policy.policy if isinstance(policy, EffectivePolicy) else policy).allowed_origins
    for index, entry in enumerate(entries):
        match entry:
            case ExactOrigin(value):
                admits = value == origin
            case NullOrigin():
                admits = origin == "null"
            case _:
                admits = OriginSet.of((entry,)).admits(origin)
        if admits:
            return index
    return None
