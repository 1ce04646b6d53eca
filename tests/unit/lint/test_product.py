"""Inclusion of one pattern in another."""

from __future__ import annotations

import pytest

from crossgate.lint.proof import MatchMode, included


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
