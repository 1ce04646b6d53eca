"""The two fuzzers at the size of a test run; ``make fuzz-proof`` runs them for any time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fuzz_proof import check_memberships, check_proofs, generator

from crossgate.lint.proof import Proof, Verdict
from crossgate.lint.proof.automaton import Automaton
from crossgate.lint.proof.expression import Expression
from crossgate.lint.proof.prove import examine

SEEDS = pytest.mark.parametrize("seed", [11, 12, 13])


@SEEDS
def test_the_automaton_decides_as_re2_does(seed: int) -> None:
    tally = check_memberships(generator(seed), patterns=1200)
    assert tally.mismatches == []
    assert tally.memberships > 40_000
    assert tally.matches > 10_000


@SEEDS
def test_everything_that_re2_admits_lies_within_the_proof(seed: int) -> None:
    tally = check_proofs(generator(seed), patterns=250)
    assert tally.mismatches == []
    assert tally.memberships > 500
    assert tally.verdicts[Verdict.PROVED] > 50
    assert tally.verdicts[Verdict.UNBOUNDED] > 50


def test_the_fuzzer_notices_a_domain_that_a_proof_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def examine_badly(expression: Expression) -> Proof:
        proof = examine(expression)
        return replace(proof, domains=()) if proof.verdict is Verdict.PROVED else proof

    monkeypatch.setattr("tests.fuzz_proof.examine", examine_badly)
    tally = check_proofs(generator(11), patterns=100)
    assert any(mismatch.endswith("is not listed") for mismatch in tally.mismatches)


def test_the_fuzzer_notices_a_witness_that_re2_does_not_match(monkeypatch: pytest.MonkeyPatch) -> None:
    def examine_badly(expression: Expression) -> Proof:
        return replace(examine(expression), witness="https://evil.invalid")

    monkeypatch.setattr("tests.fuzz_proof.examine", examine_badly)
    tally = check_proofs(generator(11), patterns=100)
    assert any(mismatch.endswith("does not hold") for mismatch in tally.mismatches)


def test_the_fuzzer_notices_an_automaton_that_decides_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    def matches_badly(automaton: Automaton, string: str) -> bool:
        return automaton.accepts(automaton.run(string)) != ("b" in string)

    monkeypatch.setattr(Automaton, "matches", matches_badly)
    tally = check_memberships(generator(11), patterns=50)
    assert tally.mismatches
