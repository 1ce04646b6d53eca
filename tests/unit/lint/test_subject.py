"""What the rules examine: one API's policy, with what bears on it."""

from __future__ import annotations

import pytest

from crossgate.lint.subject import Subject
from crossgate.policy import OriginArgument, build_policy


@pytest.mark.parametrize(
    ("allowed_origins", "sample"),
    [
        (["https://app.example.com"], "https://app.example.com"),
        (["*", "https://app.example.com"], "https://app.example.com"),
        (["https://*.example.com"], "https://x.example.com"),
        ([{"regex": r"https://pr-\d\.example\.com"}], "https://pr-0.example.com"),
        # The attacker's origin is not one that the policy means to admit.
        ([{"regex": r"https://.*example\.com"}], "https://shop.example.org"),
        (["*"], "https://shop.example.org"),
        ([], "https://shop.example.org"),
    ],
)
def test_the_sample_is_an_origin_that_the_policy_means_to_admit(
    allowed_origins: list[OriginArgument], sample: str
) -> None:
    policy = build_policy(allowed_origins=allowed_origins)
    applications = frozenset({"https://shop.example.org", "https://web.example.org"})
    assert Subject(policy, applications).sample_origin == sample


def test_without_any_origin_there_is_no_sample() -> None:
    assert Subject(build_policy(allowed_origins=["*"])).sample_origin is None
