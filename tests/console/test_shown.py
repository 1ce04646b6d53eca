"""Hostile values as pages show them."""

from __future__ import annotations

import pytest

from crossgate.console.shown import LONGEST, plain, shown, shown_short


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("https://\u202emoc", '<span class="control-box">U+202E</span>moc'),
        ("a\tb", '<span class="control-box">U+0009</span>'),
        ("\ud800", '<span class="control-box">U+D800</span>'),
    ],
)
def test_nothing_hidden_and_no_markup_passes(value: str, expected: str) -> None:
    assert expected in shown(value)
    assert value not in shown(value)


def test_a_long_value_loses_its_middle_and_is_whole_behind_a_disclosure() -> None:
    value = "https://" + "a" * 8000 + ".example.com"
    found = shown_short(value)
    assert found.count("a" * 8000) == 1
    assert f"Show {len(value):,} bytes" in found
    assert ".example.com" in found.split("<details")[0]


def test_marks_stand_around_what_differs() -> None:
    assert "shop.exa<mark>rn</mark>ple" in shown("shop.exarnple", extra=((8, 10),))


def test_attributes_are_short_and_without_hidden_characters() -> None:
    assert plain("\u202e" + "a" * 500).startswith("[U+202E]")
    assert len(plain("a" * 500)) == LONGEST
