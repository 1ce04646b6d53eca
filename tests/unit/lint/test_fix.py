"""Fixes are proved, and admit nothing that the original does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import re2

from crossgate.lint.proof import MatchMode, Verdict, included, prove, suggest


@pytest.mark.parametrize(
    ("pattern", "mode", "fix"),
    [
        (r"https://www.example.com", MatchMode.FULL, r"https://www\.example\.com"),
        (r"https://.*example\.com", MatchMode.FULL, r"https://(?:[a-z0-9-]+\.)*example\.com"),
        (r"https://.*.example.com", MatchMode.FULL, r"https://.*\.example\.com"),
        (r"https://example\.com.*", MatchMode.FULL, r"https://example\.com"),
        (r".*example\.com.*", MatchMode.FULL, r"https://(?:[a-z0-9-]+\.)*example\.com"),
        (r"example\.com$", MatchMode.SEARCH, r"^https://(?:[a-z0-9-]+\.)*example\.com$"),
        (r"https://.*\.vercel\.app", MatchMode.FULL, None),
    ],
)
def test_a_fix(pattern: str, mode: MatchMode, fix: str | None) -> None:
    assert suggest(pattern, mode) == fix


def test_no_fix_of_the_corpus_is_unproved_or_wider() -> None:
    corpus = json.loads((Path(__file__).parents[2] / "data" / "origin-regex-corpus.json").read_text())
    fixes = 0
    for case in corpus:
        if case["mode"] == "wildcard":
            continue
        mode = MatchMode(case["mode"])
        fix = suggest(case["pattern"], mode)
        if fix is None:
            continue
        fixes += 1
        assert prove(fix, mode).verdict is Verdict.PROVED
        assert included(fix, case["pattern"], mode, mode).holds is True
        assert re2.compile(fix)
    assert fixes >= 14
