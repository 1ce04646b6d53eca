"""An explanation is the decision, with the questions of its flow up to the one that failed."""

from __future__ import annotations

import pytest
from tests.case_table import Case, load_cases
from tests.differential.generate import random_pairs

from crossgate.policy import Answer, EffectivePolicy, Request, build_policy, decide, explain

ORIGIN = "https://app.example.com"
POLICY = EffectivePolicy.of(
    build_policy(allowed_origins=[ORIGIN], allowed_methods=["GET"], allow_headers=["X-One"]),
    public_origins=["https://api.example.com"],
)


def questions(request: Request) -> list[tuple[str, str, bool]]:
    return [(step.question, step.answer, step.passed) for step in explain(POLICY, request).steps]


@pytest.mark.parametrize("case", load_cases("engine"), ids=lambda case: case.id)
def test_it_agrees_with_the_decision(case: Case) -> None:
    policy, request = case.prepared(), case.request.parsed()
    explanation = explain(policy, request)
    decision = decide(policy, request)
    assert explanation.decision == decision
    enforced = decision if isinstance(decision, Answer) else decision.would
    refused = enforced is not None and enforced.status >= 400
    fell = refused or decision.reason == "plain-options"
    assert [step.passed for step in explanation.steps[:-1]] == [True] * (len(explanation.steps) - 1)
    assert explanation.steps[-1].passed is not fell


def test_it_agrees_on_random_requests() -> None:
    for sample, requests in random_pairs(3, 100, 10):
        policy = sample.prepared()
        for request in requests:
            assert explain(policy, request.parsed()).decision == decide(policy, request.parsed())


def test_an_allowed_preflight_takes_every_step() -> None:
    assert questions(Request("OPTIONS", ORIGIN, "GET", "x-one")) == [
        ("What kind of request is OPTIONS?", "OPTIONS: judged as a preflight", True),
        ("Is there an Origin?", ORIGIN, True),
        ("Is the origin allowed?", ORIGIN, True),
        ("Is there an Access-Control-Request-Method?", "GET", True),
        ("Is the requested method allowed?", "GET", True),
        ("Is every requested header allowed?", "x-one", True),
    ]


def test_no_step_follows_a_failure() -> None:
    assert questions(Request("OPTIONS", ORIGIN, "PUT", "x-other"))[-1] == (
        "Is the requested method allowed?",
        "PUT",
        False,
    )


def test_a_request_is_checked_for_its_origin_only() -> None:
    assert questions(Request("GET", "https://evil.org", "PUT")) == [
        ("What kind of request is GET?", "it has an Origin: a CORS request", True),
        ("Is the origin allowed?", "https://evil.org", False),
    ]


def test_the_gateways_own_origin_is_explained() -> None:
    assert questions(Request("POST", "https://api.example.com")) == [
        ("What kind of request is POST?", "it has no Origin: no CORS request", True),
        ("Is the origin the gateway's own?", "https://api.example.com: counts as no Origin", True),
    ]


def test_a_detected_same_origin_request_is_explained() -> None:
    assert questions(Request("OPTIONS", "null", "GET", sec_fetch_site="same-origin")) == [
        ("What kind of request is OPTIONS?", "OPTIONS: judged as a preflight", True),
        ("Is the origin the gateway's own?", "Sec-Fetch-Site is same-origin: counts as no Origin", True),
        ("Is there an Origin?", "none", False),
    ]


def test_without_a_policy_there_is_one_step() -> None:
    (step,) = explain(None, Request("GET", ORIGIN)).steps
    assert step.passed


def test_server_level_explains_the_content_type_of_a_request() -> None:
    (case,) = (
        case for case in load_cases() if case.name == "a JSON body where Content-Type is not supported"
    )
    last = explain(case.prepared(), case.request.parsed()).steps[-1]
    assert (last.answer, last.passed) == ("application/json", False)
