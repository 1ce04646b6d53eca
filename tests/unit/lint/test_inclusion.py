"""Inclusion of one pattern in another, and fixes, which depend on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import re2

from crossgate.lint.proof import MatchMode, Verdict, included, prove, suggest


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        (r"https://a\.example\.com", r"https://[a-z]+\.example\.com"),
        (r"https://example\.com/path", r"https://other\.org"),  # no browser sends it
        (r"https://example\.com(:443)?", r"https://example\.com"),  # nor that
        (r"https://[a-c]\.x\.net", r"https?://(a|b|c)\.x\.net(:\d+)?"),
        ("null", ".*"),
        (r"https://(.*\.)?example\.com", r"https?://.*"),
    ],
)
def test_included(inner: str, outer: str) -> None:
    assert included(inner, outer).holds is True


@pytest.mark.parametrize(
    ("inner", "outer", "counterexample"),
    [
        (r"https?://a\.b", r"https://a\.b", "http://a.b"),
        (r"https://a\.b(:\d+)?", r"https://a\.b", "https://a.b:1"),
        (r"null|https://a\.b", r"https://a\.b", "null"),
    ],
)
def test_not_included(inner: str, outer: str, counterexample: str) -> None:
    found = included(inner, outer)
    assert found.holds is False
    assert found.counterexample == counterexample


def test_the_mode_of_each_side_counts() -> None:
    assert included("https://a.b", "https://a.b", MatchMode.SEARCH).holds is False
    assert included("https://a.b", "https://a.b", outer_mode=MatchMode.SEARCH).holds is True


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
