"""The executable specification: one policy and one request give one decision."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from crossgate.policy import names
from crossgate.policy.decision import Answer, Decision, Forward, Header, Outcome
from crossgate.policy.effective import EffectivePolicy
from crossgate.policy.flow import trace
from crossgate.policy.request import Request
from crossgate.policy.responses import Reflected, ResponseSettings, ResponseTemplate, response_template
from crossgate.policy.server_cors import ServerPolicy


def decide(policy: EffectivePolicy | ServerPolicy | None, request: Request) -> Decision:
    """The decision on the request.

    ``None`` is an API without a policy; a :class:`ServerPolicy` replaces the policies of all APIs.
    """
    return decide_outcome(policy, trace(policy, request).outcome, request)


def decide_outcome(
    policy: EffectivePolicy | ServerPolicy | None, outcome: Outcome, request: Request
) -> Decision:
    """The decision on a request with this outcome."""
    settings = ResponseSettings.of(policy)
    decision = _fill(response_template(settings, outcome), outcome, request)
    return decision if settings.enforces(outcome) else _observed(decision)


def _observed(decision: Decision) -> Forward:
    """The decision in observe mode: forwarded unchanged, with the answer that enforcing would have given."""
    match decision:
        case Answer():
            return Forward(decision.flow, decision.reason, strip=False, vary=False, would=decision)
        case Forward():
            return replace(decision, headers=(), strip=False, vary=False)
        case _ as never:
            assert_never(never)


def _fill(template: ResponseTemplate, outcome: Outcome, request: Request) -> Decision:
    headers: list[Header] = []
    for name, value in template.headers:
        match value:
            case str():
                headers.append((name, value))
            case Reflected(header):
                if copied := request.header(header):
                    headers.append((name, copied))
            case _ as never:
                assert_never(never)
    if template.status is None:
        return Forward(*outcome, tuple(headers), strip=template.strip, vary=template.vary)
    if template.vary:
        headers.append((names.VARY, names.ORIGIN))
    return Answer(*outcome, template.status, template.body, tuple(headers))
