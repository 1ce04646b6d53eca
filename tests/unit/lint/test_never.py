"""Patterns that match no origin are kept apart from patterns that admit origins without a domain."""

from __future__ import annotations

import pytest

from crossgate.lint.proof import FactCode, Verdict, prove


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


@pytest.mark.parametrize("pattern", [r"\*", r".", r"\*|https://A\.b", r"\*|https://x{64}"])
def test_the_string_star_is_not_an_origin(pattern: str) -> None:
    proof = prove(pattern)
    assert proof.verdict is Verdict.NEVER
    assert proof.fact(FactCode.MATCHES_STAR) is not None
    assert prove(rf"{pattern}|null").verdict is Verdict.PROVED


def test_a_surrogate_is_named_as_the_reason() -> None:
    assert "not valid UTF-8" in (prove("https://\udcff").reason or "")
