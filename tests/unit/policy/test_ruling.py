"""What depends on the policy alone is made once per policy, and not before it is needed."""

from __future__ import annotations

import pytest

from crossgate.policy import Answer, EffectivePolicy, Request, build_policy, decide

SHOP, DESK, EVIL = "https://shop.example", "https://desk.example", "https://evil.example"


@pytest.fixture
def policy() -> EffectivePolicy:
    return EffectivePolicy.of(
        build_policy(
            allowed_origins=[SHOP, DESK], allowed_methods=["*"], allow_headers=["*"], allow_credentials=True
        )
    )


def test_a_policy_that_decides_nothing_makes_nothing(policy: EffectivePolicy) -> None:
    assert policy.rulings == {}


def test_every_refusal_at_one_step_is_the_same_answer(policy: EffectivePolicy) -> None:
    assert decide(policy, Request("GET", EVIL)) is decide(policy, Request("PUT", "null"))


def test_what_is_repeated_is_each_request_s_own(policy: EffectivePolicy) -> None:
    first = decide(policy, Request("OPTIONS", SHOP, "PUT", "x-one"))
    second = decide(policy, Request("OPTIONS", DESK, "PATCH"))
    assert isinstance(first, Answer)
    assert first.headers == (
        ("Access-Control-Allow-Origin", SHOP),
        ("Access-Control-Allow-Methods", "PUT"),
        ("Access-Control-Allow-Headers", "x-one"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Vary", "Origin"),
    )
    assert second.headers == (
        ("Access-Control-Allow-Origin", DESK),
        ("Access-Control-Allow-Methods", "PATCH"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Vary", "Origin"),
    )
