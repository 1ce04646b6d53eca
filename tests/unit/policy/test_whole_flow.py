"""The whole flow agrees with the decision and with the table of steps, for every request."""

from __future__ import annotations

import pytest
from tests.case_table import load_cases
from tests.differential.generate import random_pairs

from crossgate.policy import (
    EffectivePolicy,
    ExactOrigin,
    Request,
    ServerPolicy,
    build_policy,
    decide,
    parse_origin_pattern,
)
from crossgate.policy.decision import Flow
from crossgate.policy.flow import HAS_ORIGIN, PREFLIGHT, SERVER_REQUEST, trace
from crossgate.policy.responses import Policy
from crossgate.policy.whole_flow import StepState, blank_flow, whole_flow

ORIGIN = "https://app.example.com"
POLICY = EffectivePolicy.of(
    build_policy(
        allowed_origins=["https://other.example.com", ORIGIN, "https://*.example.org"],
        allowed_methods=["GET", "POST"],
        allow_headers=["X-One"],
    ),
    application_origins=["https://store.example.net"],
    public_origins=["https://api.example.com"],
)


def assert_agrees(policy: Policy, request: Request) -> None:
    shown = whole_flow(policy, request)
    assert shown.decision == decide(policy, request)
    taken = trace(policy, request)
    reached = [step.question for step in shown.steps if step.state is not StepState.NOT_REACHED]
    judged = [step.question for step in (*taken.passed, *filter(None, [taken.failed]))]
    assert [one for one in judged if one in {step.question for step in shown.steps}] == [
        one for one in reached if one in judged
    ]
    states = [step.state for step in shown.steps]
    assert states == sorted(states, key=[*StepState].index)
    assert states.count(StepState.FAILED) == (not shown.reached_end)


def test_it_agrees_with_the_decision() -> None:
    for case in load_cases("engine"):
        assert_agrees(case.prepared(), case.request.parsed())


def test_it_agrees_on_random_requests() -> None:
    for sample, requests in random_pairs(5, 100, 10):
        policy = sample.prepared()
        for request in requests:
            assert_agrees(policy, request.parsed())


def test_every_step_of_a_preflight_has_its_question_its_rule_and_its_answer() -> None:
    shown = whole_flow(POLICY, Request("OPTIONS", ORIGIN, "PATCH", "x-one"))
    assert [step.question for step in shown.steps] == [step.question for step in PREFLIGHT.steps]
    assert [step.rule for step in shown.steps] == [
        "",
        "allowed_origins",
        "",
        "allowed_methods",
        "allow_headers",
    ]
    assert [getattr(step.fails, "status", None) for step in shown.steps] == [405, 403, 405, 405, 403]
    assert [step.state.value for step in shown.steps] == [*["passed"] * 3, "failed", "not-reached"]
    assert [step.found for step in shown.steps] == [
        ORIGIN,
        ORIGIN,
        "PATCH",
        "not one of GET, POST",
        "not reached",
    ]
    assert shown.steps[1].entry == 1
    assert shown.failed == 4


@pytest.mark.parametrize(
    ("origin", "entry"),
    [("https://a.b.example.org", 2), ("https://store.example.net", None), ("https://evil.org", None)],
)
def test_the_entry_that_admits_an_origin(origin: str, entry: int | None) -> None:
    assert whole_flow(POLICY, Request("GET", origin)).steps[1].entry == entry


def test_a_request_without_origin_stops_before_the_origin_is_judged() -> None:
    shown = whole_flow(POLICY, Request("GET"))
    assert [(step.question, step.state.value) for step in shown.steps] == [
        (HAS_ORIGIN.question, "failed"),
        ("Is the origin allowed?", "not-reached"),
    ]


def test_a_request_of_the_gateways_own_page_counts_as_one_without_origin() -> None:
    shown = whole_flow(POLICY, Request("GET", ORIGIN, sec_fetch_site="same-origin"))
    assert shown.steps[0].found == "the gateway's own: counts as none"
    assert shown.failed == 1


def test_an_api_without_a_policy_has_one_question() -> None:
    assert [step.question for step in whole_flow(None, Request("GET")).steps] == [
        "Does the API have a policy?"
    ]


def test_a_malformed_request_fails_before_its_flow() -> None:
    shown = whole_flow(POLICY, Request("TRACE", ORIGIN))
    assert shown.failed == 1
    assert len(shown.steps) == 3


def test_a_blank_flow_is_reached_nowhere() -> None:
    pattern = parse_origin_pattern(ORIGIN)
    assert isinstance(pattern, ExactOrigin)
    server = ServerPolicy((pattern,), host="api.example.com")
    assert {step.state for step in blank_flow(None, Flow.PREFLIGHT).steps} == {StepState.NOT_REACHED}
    assert [step.question for step in blank_flow(server, Flow.CORS_REQUEST).steps] == [
        HAS_ORIGIN.question,
        *(step.question for step in SERVER_REQUEST.steps),
    ]
    assert blank_flow(None, Flow.CORS_REQUEST).decision is None
