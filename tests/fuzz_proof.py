"""Both fuzzers of the proof: against RE2, and against RE2 and an independent suffix library.

``python -m tests.fuzz_proof [SECONDS] [SEED]`` runs them in turn and prints what was checked.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from tests import random_origin_patterns, random_regexes

from crossgate.lint.proof import Proof, Verdict
from crossgate.lint.proof.addresses import MOST_ADDRESSES
from crossgate.lint.proof.budget import ExhaustedError
from crossgate.lint.proof.expression import Expression
from crossgate.lint.proof.prove import examine
from crossgate.policy.origin import Origin, is_well_formed


@dataclass
class Tally:
    """Counts of what a run has checked, and every disagreement."""

    patterns: int = 0
    memberships: int = 0
    matches: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    mismatches: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add the numbers of another run."""
        self.patterns += other.patterns
        self.memberships += other.memberships
        self.matches += other.matches
        self.verdicts += other.verdicts
        self.mismatches += other.mismatches


def generator(seed: int) -> random.Random:
    """A random generator: the same seed gives the same run."""
    return random.Random(seed)  # noqa: S311 - test cases, not secrets


def check_memberships(rng: random.Random, patterns: int) -> Tally:
    """Random expressions and strings: the automaton against RE2."""
    tally = Tally()
    for pattern, matcher, automaton in random_regexes.pairs(rng):
        tally.patterns += 1
        for string in random_regexes.strings(rng, automaton, 40):
            matched = matcher.fullmatch(string.encode()) is not None
            tally.memberships += 1
            tally.matches += matched
            if automaton.matches(string) != matched:
                tally.mismatches.append(f"{pattern!r} on {string!r}: RE2 says {matched}")
        if tally.patterns == patterns:
            return tally
    return tally


def check_proofs(rng: random.Random, patterns: int) -> Tally:
    """Random origin patterns: whether witnesses hold, and admitted origins lie within what was proved."""
    tally = Tally()
    for expression in random_origin_patterns.expressions(rng):
        tally.patterns += 1
        _check_proof(rng, expression, tally)
        if tally.patterns == patterns:
            return tally
    return tally


def _check_proof(rng: random.Random, expression: Expression, tally: Tally) -> None:
    try:
        proof = examine(expression)
    except ExhaustedError:
        tally.verdicts[Verdict.UNPROVEN] += 1
        return
    tally.verdicts[proof.verdict] += 1
    name = f"{expression.pattern!r} ({expression.mode.value})"
    if proof.verdict in random_origin_patterns.BAD:
        witness = proof.witness
        if (
            witness is None
            or not is_well_formed(witness)
            or not expression.admits(witness)
            or random_origin_patterns.second_opinion(Origin.of(witness).host) != proof.witness_domain
        ):
            tally.mismatches.append(f"{name}: the witness {witness} does not hold")
    elif proof.verdict in (Verdict.PROVED, Verdict.UNOWNED, Verdict.NEVER):
        admitted = [*random_origin_patterns.admitted_origins(rng, expression, 60)]
        for origin in admitted:
            tally.memberships += 1
            why = random_origin_patterns.uncovered(proof, origin)
            if why is not None:
                tally.mismatches.append(f"{name} admits {origin}: {why}")
        _check_ownership(expression, proof, admitted, name, tally)


def _check_ownership(
    expression: Expression, proof: Proof, admitted: list[str], name: str, tally: Tally
) -> None:
    """What nobody owns is not proved, and what is unowned has a witness that RE2 matches."""
    addresses = random_origin_patterns.public_addresses(admitted)
    if proof.verdict is Verdict.UNOWNED:
        if proof.witness is None or not expression.admits(proof.witness):
            tally.mismatches.append(f"{name}: the witness {proof.witness} does not hold")
    elif expression.admits("null"):
        tally.mismatches.append(f"{name} admits null and is {proof.verdict}")
    elif expression.automaton.has_open_tokens and len(addresses) > MOST_ADDRESSES:
        tally.mismatches.append(f"{name} admits {len(addresses)} addresses and is {proof.verdict}")


def main(seconds: float, seed: int) -> int:
    """Run both for about ``seconds`` each; returns the number of disagreements."""
    bad = 0
    for title, check, size in (
        ("the automaton against RE2", check_memberships, 500),
        ("the proofs against RE2 and a suffix library", check_proofs, 200),
    ):
        rng, tally, until = generator(seed), Tally(), time.monotonic() + seconds
        while time.monotonic() < until:
            tally.add(check(rng, size))
        print(f"{title}: {tally.patterns} patterns, {tally.memberships} memberships", end="")
        print(f", {len(tally.mismatches)} disagreements (seed {seed})")
        for verdict, number in sorted(tally.verdicts.items()):
            print(f"  {verdict.value}: {number}")
        print(*tally.mismatches[:20], sep="\n")
        bad += len(tally.mismatches)
    return bad


if __name__ == "__main__":
    sys.exit(min(1, main(float(sys.argv[1] if len(sys.argv) > 1 else 60), int((sys.argv[2:] or ["1"])[0]))))
