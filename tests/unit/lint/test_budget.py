"""Hostile patterns take bounded work, and are never treated as safe; ``make bench-lint`` times them."""

from __future__ import annotations

import sys
import tracemalloc

import pytest
from tests.hostile_patterns import HOSTILE

from crossgate.lint.proof import Verdict, included, prove, suggest
from crossgate.lint.proof.budget import steps_for

CALLS_PER_STEP = 40
"""Function calls, of Python and C; from 7 to 25 were counted."""
LONGEST_COUNTED = 10_000
"""Characters; a profiled proof takes several times as long."""


@pytest.mark.parametrize("pattern", HOSTILE, ids=range(len(HOSTILE)))
def test_the_verdict(pattern: str) -> None:
    assert prove(pattern).verdict is HOSTILE[pattern]


@pytest.mark.parametrize("pattern", [pattern for pattern in HOSTILE if len(pattern) <= LONGEST_COUNTED])
def test_no_work_bypasses_the_budget(pattern: str) -> None:
    prove("https?://.*")  # builds what all proofs share
    prove.cache_clear()
    calls = 0

    def count(*_event: object) -> None:
        nonlocal calls
        calls += 1

    previous = sys.getprofile()
    sys.setprofile(count)
    try:
        prove(pattern)
    finally:
        sys.setprofile(previous)
    assert calls < CALLS_PER_STEP * steps_for(pattern)


def test_the_memory_is_bounded() -> None:
    tracemalloc.start()
    prove(r"https://.*b.{17}\.example\.com")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * 1024 * 1024


def test_a_pattern_that_exceeds_the_budget_is_neither_included_nor_fixed() -> None:
    hard = r"a[ab]{16}\.example\.com"
    assert included(f"https://[ab]+{hard}", f"https://[ab]*{hard}").holds is None
    assert suggest(r"https://(?:.{0,31}){0,31}\.com") is None


@pytest.mark.parametrize("pattern", ["(", "a**", r"(?=a)", "[z-a]", "\ud800"])
def test_what_re2_refuses_is_invalid(pattern: str) -> None:
    proof = prove(pattern)
    assert proof.verdict is Verdict.INVALID
    assert proof.reason
