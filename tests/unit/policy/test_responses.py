"""The table of responses: one template for each outcome, with the reflected headers of each request."""

from __future__ import annotations

import pytest

from crossgate.policy import Answer, EffectivePolicy, Flow, Forward, Reason, Request, build_policy, decide
from crossgate.policy.decision import Outcome
from crossgate.policy.responses import (
    API_RESPONSES,
    SERVER_RESPONSES,
    Reflected,
    ResponseSettings,
    response_template,
)

SHOP, DESK, EVIL = "https://shop.example", "https://desk.example", "https://evil.example"
MALFORMED = {outcome for outcome in API_RESPONSES if outcome.flow is Flow.MALFORMED}
ALL_STAR = EffectivePolicy.of(
    build_policy(
        allowed_origins=[SHOP, DESK], allowed_methods=["*"], allow_headers=["*"], allow_credentials=True
    )
)


def test_every_reason_has_a_response() -> None:
    assert {outcome.reason for outcome in (*API_RESPONSES, *SERVER_RESPONSES)} == set(Reason)


def test_reflected_values_are_those_of_each_request() -> None:
    first = decide(ALL_STAR, Request("OPTIONS", SHOP, "PUT", "x-one"))
    second = decide(ALL_STAR, Request("OPTIONS", DESK, "PATCH"))
    assert isinstance(first, Answer)
    assert first.headers == (
        ("Access-Control-Allow-Origin", SHOP),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Allow-Methods", "PUT"),
        ("Access-Control-Allow-Headers", "x-one"),
        ("Vary", "Origin"),
    )
    assert second.headers == (
        ("Access-Control-Allow-Origin", DESK),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Allow-Methods", "PATCH"),
        ("Vary", "Origin"),
    )


def test_a_template_names_the_reflected_headers() -> None:
    settings = ResponseSettings.of(ALL_STAR)
    template = response_template(settings, Outcome(Flow.PREFLIGHT, Reason.PREFLIGHT_ALLOWED))
    assert template.reflects == (
        ("Access-Control-Allow-Origin", "Origin"),
        ("Access-Control-Allow-Methods", "Access-Control-Request-Method"),
        ("Access-Control-Allow-Headers", "Access-Control-Request-Headers"),
    )
    assert ("Access-Control-Allow-Origin", Reflected("Origin")) in template.headers


def test_policies_that_differ_in_origins_only_have_the_same_settings() -> None:
    policies = [
        EffectivePolicy.of(build_policy(allowed_origins=[origin], allowed_methods=["GET"]))
        for origin in (SHOP, DESK)
    ]
    assert len({ResponseSettings.of(policy) for policy in policies}) == 1


@pytest.mark.parametrize("outcome", API_RESPONSES)
def test_observe_mode_enforces_malformed_requests_only(outcome: Outcome) -> None:
    observing = ResponseSettings.of(EffectivePolicy.of(build_policy(mode="observe")))
    assert observing.enforces(outcome) == (outcome in MALFORMED)


@pytest.mark.parametrize("outcome", MALFORMED)
def test_vary_of_malformed_requests_is_that_of_all_responses(outcome: Outcome) -> None:
    enforcing, observing = (
        EffectivePolicy.of(build_policy(allowed_origins=[SHOP], mode=mode)) for mode in ("enforce", "observe")
    )
    assert response_template(ResponseSettings.of(enforcing), outcome).vary
    assert not response_template(ResponseSettings.of(observing), outcome).vary
    assert not response_template(ResponseSettings.of(None), outcome).vary


def test_a_405_names_no_method_if_none_is_allowed() -> None:
    decision = decide(EffectivePolicy.of(build_policy()), Request("OPTIONS"))
    assert isinstance(decision, Answer)
    assert ("Allow", "") in decision.headers


def test_observing_changes_no_response() -> None:
    observing = EffectivePolicy.of(build_policy(allowed_origins=[SHOP], mode="observe"))
    decision = decide(observing, Request("GET", SHOP))
    assert decision == Forward(Flow.CORS_REQUEST, Reason.ORIGIN_ALLOWED, strip=False, vary=False)
