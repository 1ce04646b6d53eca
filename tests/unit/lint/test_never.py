"""What no browser can send is told from what is admitted without a domain."""

from __future__ import annotations

import pytest

from crossgate.lint.proof import Verdict, prove


@pytest.mark.parametrize(
    "pattern", ["", "https://", "https://a\n.b", r"https://a\.b/.", "https://A.b", "https://" + "x" * 64]
)
def test_nothing_is_admitted(pattern: str) -> None:
    assert prove(pattern).verdict is Verdict.NEVER


@pytest.mark.parametrize(
    "pattern", [r"https://x.[a-c]9", r"https://x\.b9", r"https://127\.0\.0.1", "a.+://b"]
)
def test_something_is_admitted_that_has_no_domain(pattern: str) -> None:
    proof = prove(pattern)
    assert proof.verdict is Verdict.PROVED
    assert proof.domains == ()


def test_a_surrogate_is_named_as_the_reason() -> None:
    assert "not valid UTF-8" in (prove("https://\udcff").reason or "")
