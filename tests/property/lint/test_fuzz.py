"""The two fuzzers at the size of a test run; ``make fuzz-proof`` runs them for as long as one likes."""

from __future__ import annotations

import pytest
from tests import origin_fuzz, proof_fuzz
from tests.fuzz_proof import check_memberships, check_proofs, generator

from crossgate.lint.proof import Proof, Verdict

SEEDS = pytest.mark.parametrize("seed", [11, 12, 13])


@SEEDS
def test_the_automaton_decides_as_re2_does(seed: int) -> None:
    tally = check_memberships(generator(seed), patterns=1200)
    assert tally.mismatches == []
    assert tally.memberships > 40_000
    assert tally.matches > 10_000


@SEEDS
def test_whatever_re2_admits_lies_within_the_proof(seed: int) -> None:
    tally = check_proofs(generator(seed), patterns=250)
    assert tally.mismatches == []
    assert tally.memberships > 500
    assert tally.verdicts[Verdict.PROVED] > 50
    assert tally.verdicts[Verdict.UNBOUNDED] > 50


def test_the_fuzzer_would_notice() -> None:
    """A proof that leaves a domain out is caught."""
    rng = generator(5)
    expression = next(e for e in origin_fuzz.expressions(rng) if e.admits("https://example.com"))
    bare = Proof(Verdict.PROVED)
    assert origin_fuzz.uncovered(bare, "https://example.com") == "domain example.com is not listed"
    assert expression.admits("https://example.com")
    assert next(proof_fuzz.pairs(rng))[2].matches("") in (True, False)
