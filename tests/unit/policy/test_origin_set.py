"""Asking a set of origins costs the same however many it holds; counted, not timed."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType

import pytest

from crossgate.diagnostics import Diagnostic
from crossgate.policy import OriginSet, parse_origin_pattern
from crossgate.policy.pattern import OriginPattern

MANY = 100_000


class CountedText(str):  # noqa: SLOT000 - slots have no defaults
    """A text that counts how often it is hashed and compared."""

    hashed = 0
    compared = 0

    def __hash__(self) -> int:
        self.hashed += 1
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        self.compared += 1
        return super().__eq__(other)


def pattern(loose: object) -> OriginPattern:
    parsed = parse_origin_pattern(loose)
    assert not isinstance(parsed, Diagnostic)
    return parsed


def calls(action: Callable[[], object]) -> int:
    """How many functions, Python's and C's, the action calls; a garbage collection's are not its own."""
    count = 0

    def seen(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    gc.disable()
    sys.setprofile(seen)
    try:
        action()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


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
    text = CountedText(value)
    assert (text in many) is admitted
    assert text.hashed == 1
    assert text.compared <= 1


def test_a_hundred_thousand_wildcards_cost_no_more_than_ten() -> None:
    few, many = (
        OriginSet.of(pattern(f"https://*.shop-{number:06}.example.com:*") for number in range(count))
        for count in (10, MANY)
    )
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
