"""The verdict on an entry says whom it lets in, in few words, and never that it is fine."""

from __future__ import annotations

import pytest

from crossgate.diagnostics import Diagnostic
from crossgate.lint.origin_verdict import OriginVerdict, Safety, origin_verdict
from crossgate.policy import parse_origin_pattern

SAFE, CAUTION, UNSAFE = Safety.SAFE, Safety.CAUTION, Safety.UNSAFE


def verdict(raw: object) -> OriginVerdict:
    pattern = parse_origin_pattern(raw)
    assert not isinstance(pattern, Diagnostic), pattern
    return origin_verdict(pattern)


@pytest.mark.parametrize(
    ("raw", "words", "safety"),
    [
        ("https://app.example.com", "Only this origin", SAFE),
        ("http://localhost:3000", "Only this origin", SAFE),
        ("https://*.example.org", "Only example.org", SAFE),
        ("https://example.com:*", "Any port", CAUTION),
        ({"regex": r"https://pr-[0-9]+\.example\.com"}, "Only example.com", SAFE),
        ({"regex": r"https://(a\.example\.com|b\.example\.org)"}, "Only example.com and example.org", SAFE),
        ({"regex": r"https://(example\.com|example\.org|example\.net)"}, "Only 3 domains", SAFE),
        ({"regex": r"http://localhost:[0-9]+"}, "Only the visitor's machine", SAFE),
        ({"regex": r"https://.*example\.com"}, "Unsafe: evilexample.com passes", UNSAFE),
        ("https://*.github.io", "Shared domain: anyone can get a name", UNSAFE),
        ("*", "Every origin", CAUTION),
        ("null", "Unsafe: any sandboxed frame passes", UNSAFE),
    ],
)
def test_a_verdict_says_who_gets_in(raw: object, words: str, safety: Safety) -> None:
    found = verdict(raw)
    assert (found.words, found.safety) == (words, safety)


def test_an_unsafe_entry_has_the_origin_that_an_attacker_would_use() -> None:
    assert verdict({"regex": r"https://.*example\.com"}).witness == "https://evilexample.com"
    assert verdict("https://app.example.com").witness is None


def test_an_entry_that_matches_no_origin_is_named_so() -> None:
    assert verdict({"regex": "https://EXAMPLE.COM"}).words == "No browser sends it"
