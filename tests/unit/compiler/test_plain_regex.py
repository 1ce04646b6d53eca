"""Plain expressions: the short check and the whole grammar accept the same origins."""

from __future__ import annotations

import re

import pytest
import re2
from hypothesis import assume, given
from hypothesis import strategies as st

from crossgate.compiler.plain_regex import EMPTY_LABEL, has_labels, is_plain
from crossgate.policy.origin import is_well_formed

PLAIN = [
    r"https://pr-[0-9]+\.preview\.example\.com",
    r"https?://([a-z0-9-]+\.)?example\.com",
    r"http://(?:a|b\.c|)x{1,3}\d*_\.test",
    r"https://[a-z0-9_.]*\.example\.com".replace(".]", "]"),
    r"https://(?:\.|a)*\.com",
]
WITHOUT_LABELS = [
    *PLAIN[3:],
    r"https://[a-z]*\.example\.com",
    r"https://(?:a|b\.c|)x?\.test",
    r"https://a{0,2}\.com",
]
OTHERS = [
    r"https://.*\.example\.com",
    r"https://[^/]+\.example\.com",
    r"https://\[::1\]\.com",
    r"https://[.-z]+\.example\.com",
    r"https://[A-z]+\.example\.com",
    r"https://[a-]b]\.com",
    r"https://\w+\.example\.com",
    r"https://[[:alpha:]]+\.example\.com",
    r"https://a\.com|.*\.com",
    r"https://a\.com|null",
    r"https://a\.com(?::[0-9]+)?",
    r"https://a\.com:443",
    r"https://(?i:a)\.com",
    r"(?i)https://a\.com",
    r"(?s)https://a\.com",
    r"http?://a\.com",
    r"https://a\.com?",
    r"https://a\.(com)?",
    r"https://a\.c0m",
    r"https://a{01}\.com",
    r"https://a{1,02}\.com",
    r"https://(?:a){00,}\.com",
    r"https://1\.2\.3\.4",
    r"https://a.example.com",
    r"https://A\.com",
    r"https://a\.com\n",
    "https://a\\.com\n",
    r"https://\Qa\E\.com",
    r"https://\pLa\.com",
    r"https://\x5b\.com",
    r".*",
    r"null",
    "",
]

atoms = st.sampled_from(["a", "-", "_", "7", r"\.", r"\-", r"\d", "[a-z]", "[a-f0-9_-]", "[0x]"])
pieces = st.tuples(atoms, st.sampled_from(["", "", "+", "*", "?", "{2}", "{0,2}"])).map("".join)
groups = st.tuples(
    st.sampled_from(["(", "(?:"]),
    st.lists(st.one_of(pieces, st.just("|")), max_size=4).map("".join),
    st.sampled_from([")", ")*", ")?"]),
).map("".join)
expressions = st.tuples(
    st.sampled_from(["http://", "https://", "https?://"]),
    st.lists(st.one_of(pieces, groups), max_size=5).map("".join),
    st.sampled_from([r"\.com", r"\.example\.org", r"\.x"]),
).map("".join)


@pytest.mark.parametrize("regex", PLAIN)
def test_plain(regex: str) -> None:
    assert is_plain(regex)


@pytest.mark.parametrize("regex", OTHERS)
def test_not_plain(regex: str) -> None:
    assert not is_plain(regex)


@pytest.mark.parametrize("regex", [*PLAIN[:2], r"http://a?b{2,}c*\.([a-f0-9]+\.)*test\.com"])
def test_no_label_is_empty(regex: str) -> None:
    assert is_plain(regex)
    assert has_labels(regex)


@pytest.mark.parametrize("regex", WITHOUT_LABELS)
def test_a_label_may_be_empty(regex: str) -> None:
    assert is_plain(regex)
    assert not has_labels(regex)


def test_the_labels_of_long_expressions_are_not_examined() -> None:
    assert not has_labels(rf"https://{'a' * 300}\.com")


@given(st.data(), expressions)
def test_both_checks_agree_on_every_match(data: st.DataObject, regex: str) -> None:
    assert is_plain(regex)
    value = data.draw(st.from_regex(re.compile(regex, re.ASCII), fullmatch=True))
    assume(len(value) < 1000)
    assert re2.compile(regex).fullmatch(value)
    assert (re2.compile(EMPTY_LABEL).fullmatch(value) is None) == is_well_formed(value)
    assert is_well_formed(value) or not has_labels(regex)
