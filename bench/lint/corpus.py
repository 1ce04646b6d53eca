"""The corpus of origin patterns, and which of them are bad."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from crossgate.lint.proof import MatchMode, Proof, Verdict, prove
from crossgate.policy.origin_pattern import WildcardOrigin, parse_origin_pattern

_FILE = Path(__file__).parents[2] / "tests" / "data" / "origin-regex-corpus.json"
BAD = frozenset({"nearmiss", "many", "unbounded", "tenant"})
NOT_SAFE = frozenset({Verdict.NEARMISS, Verdict.MANY, Verdict.UNBOUNDED, Verdict.TENANT})


@dataclass(frozen=True)
class Case:
    """A pattern as a regular expression, and whether it admits domains that it should not."""

    number: int
    pattern: str
    mode: MatchMode
    bad: bool

    def prove(self) -> Proof:
        """The proof, computed anew and not taken from the cache."""
        prove.cache_clear()
        return prove(self.pattern, self.mode)


def load() -> list[Case]:
    """Every case."""
    cases = []
    for entry in json.loads(_FILE.read_text()):
        pattern, mode = entry["pattern"], entry["mode"]
        if mode == "wildcard":
            wildcard = parse_origin_pattern(pattern)
            assert isinstance(wildcard, WildcardOrigin)
            pattern, mode = wildcard.regex, "full"
        bad = set(entry["expect"]["verdict"]) <= BAD
        cases.append(Case(entry["id"], pattern, MatchMode(mode), bad))
    return cases
