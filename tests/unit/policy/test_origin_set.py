"""Sets of origins: what they contain, at a cost that does not grow with the set; counted, not timed."""

from __future__ import annotations

import re
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.counting import calls

from crossgate.diagnostics import Diagnostic
from crossgate.policy import (
    OriginPattern,
    OriginSet,
    RegexOrigin,
    WildcardOrigin,
    is_well_formed,
    parse_origin_pattern,
)
from crossgate.policy.origin import MAX_LENGTH
from crossgate.policy.re2 import RegexRefused, compile_set

MANY = 100_000


class CountedString(str):  # noqa: SLOT000 - slots have no defaults
    """A string that counts how often it is hashed and compared."""

    hashed = 0
    compared = 0

    def __hash__(self) -> int:
        self.hashed += 1
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        self.compared += 1
        return super().__eq__(other)


def pattern(raw: object) -> OriginPattern:
    parsed = parse_origin_pattern(raw)
    assert not isinstance(parsed, Diagnostic)
    return parsed


@pytest.fixture(scope="module")
def many() -> OriginSet:
    exact = (pattern(f"https://shop-{number}.example.com") for number in range(MANY))
    return OriginSet.of(exact, (f"https://app-{number}.example.com" for number in range(MANY)))


@pytest.mark.parametrize(
    ("value", "admitted"),
    [
        ("https://shop-99999.example.com", True),
        ("https://app-99999.example.com", True),
        ("https://shop-100000.example.com", False),
        ("no origin", False),
    ],
)
def test_one_look_up_among_a_hundred_thousand(many: OriginSet, value: str, *, admitted: bool) -> None:
    text = CountedString(value)
    assert (text in many) is admitted
    assert text.hashed == 1
    assert text.compared <= 1


def test_a_hundred_thousand_wildcards_cost_no_more_than_ten() -> None:
    wildcards = [pattern(f"https://*.shop-{number:06}.example.com:*") for number in range(MANY)]
    few, many = (OriginSet.of(wildcards[:count]) for count in (10, MANY))
    for value in ("https://a.b.shop-000009.example.com:8443", "https://a.b.shop-x.example.com", "https://x"):
        assert (value in few) is (value in many)
        assert calls(partial(many.__contains__, value)) == calls(partial(few.__contains__, value))


def test_labels_that_no_wildcard_can_reach_are_not_looked_at() -> None:
    wildcards = OriginSet.of([pattern("https://*.example.com")])
    flood = f"https://{'a.' * 8000}example.org"
    assert flood not in wildcards
    assert calls(lambda: flood in wildcards) < 100


def test_an_empty_set_admits_nothing() -> None:
    empty = OriginSet.of(())
    for value in ("", "null", "*", "https://example.com"):
        assert value not in empty


def test_null_by_each_form_that_admits_it() -> None:
    assert "null" in OriginSet.of([pattern("null")])
    assert "null" in OriginSet.of([pattern("*")])
    assert "null" in OriginSet.of([pattern({"regex": "n.*"})])
    assert "null" not in OriginSet.of([pattern("https://*.example.com")])


PATTERNS = [
    "https://*.example.com",
    "https://*.example.com:8443",
    "http://*.example.com:*",
    "https://example.com:*",
    "a.b://*.com:*",
    "https://*.a.example.com",
    {"regex": r"https://(shop|pr-[0-9]+)\.example\.com"},
    {"regex": r"(?i)HTTPS://.*\.example\.com(:[0-9]+)?"},
    {"regex": r"null|^https://x\b.*$"},
    {"regex": r"https?://[^/]*(?::443|:80)"},
]
SCHEMES = st.sampled_from(["https", "http", "a.b", "HTTPS", ""])
LABELS = st.lists(
    st.sampled_from(["a", "shop", "pr-7", "x", "example", "com", "", "*", "é", "A", "1"]), max_size=5
)
PORTS = st.sampled_from(["", ":80", ":443", ":8443", ":0", ":65536", ":", ":*", "\n"])
NEAR = st.builds(lambda scheme, labels, port: f"{scheme}://{'.'.join(labels)}{port}", SCHEMES, LABELS, PORTS)


def plainly(patterns: list[OriginPattern], value: str) -> bool:
    """As the specification says it, pattern by pattern."""
    possible = is_well_formed(value) or value == "null"
    return possible and any(
        re.fullmatch(each.regex, value) is not None
        if isinstance(each, WildcardOrigin)
        else isinstance(each, RegexOrigin) and each.matcher.fullmatch(value.encode()) is not None
        for each in patterns
    )


@given(st.lists(st.sampled_from(PATTERNS), max_size=4), st.lists(NEAR | st.just("null"), min_size=1))
def test_a_set_admits_what_one_of_its_patterns_admits(written: list[object], values: list[str]) -> None:
    patterns = [pattern(raw) for raw in written]
    origins = OriginSet.of(patterns)
    for value in values:
        assert (value in origins) is plainly(patterns, value), value


def test_expressions_too_large_for_one_automaton_are_matched_one_by_one() -> None:
    """RE2 takes each of them, and refuses to make one of all."""
    large = [
        pattern({"regex": rf"https://shop-{n}-[a-z]{{900}}[0-9]{{900}}(\.[a-f]{{900}})?\.com"})
        for n in range(60)
    ]
    small = pattern({"regex": "null|https://shop.*"})
    origins = OriginSet.of((*large, small))
    with pytest.raises(RegexRefused):
        compile_set(each.pattern for each in (*large, small) if isinstance(each, RegexOrigin))
    for value, admitted in (
        ("https://shop.example", True),
        ("null", True),
        ("https://shop.example:443", False),
        ("https://shop_#", False),
        ("https://x.example", False),
    ):
        assert (value in origins) is admitted


HOSTILE_SETS = {
    "wildcards": ["https://*.example.com", "https://*.a.example.com:8443", "https://example.org:*"],
    "a regex": [{"regex": r"https://(pr-[0-9]+|shop)\.example\.com"}],
}


@pytest.mark.parametrize("patterns", HOSTILE_SETS.values(), ids=HOSTILE_SETS.keys())
@pytest.mark.parametrize(
    "value",
    [
        f"https://{'a.' * ((MAX_LENGTH - 30) // 2)}example.net",
        f"https://{'a.' * ((MAX_LENGTH - 30) // 2)}example.com#",
        "https://" + "." * (MAX_LENGTH - 8),
        "https://" + "a" * (MAX_LENGTH - 8),
        "a" * 2**20,
        "https://" * 2000,
        "https://evil.example.org:" + "9" * 16_000,
    ],
    ids=lambda value: f"{value[:16]}…{value[-16:]}",
)
def test_hostile_origins_take_few_calls(patterns: list[object], value: str) -> None:
    origins = OriginSet.of(map(pattern, patterns))
    assert value not in origins
    assert calls(lambda: value in origins) < 100
