"""The suffix trie agrees with the library that reads the same list."""

from __future__ import annotations

from pathlib import Path

import publicsuffixlist
import pytest

from crossgate.lint.proof import Verdict, prove
from crossgate.lint.proof.suffix_list import list_date, suffix_list
from crossgate.lint.proof.suffix_trie import Section, build_trie


def _names() -> list[str]:
    names = []
    for line in Path(publicsuffixlist.PSLFILE).read_text(encoding="utf-8").splitlines():
        rule = line.split(" ")[0].strip().lower()
        if rule and not rule.startswith("//"):
            names.append(rule.replace("*", "any").removeprefix("!").encode("idna").decode())
    return names


def test_every_rule_gives_the_domain_that_the_library_gives() -> None:
    names = _names()
    assert len(names) > 9_000
    for name in names[::150] + [n for n in names if n.endswith((".ck", ".kobe.jp", "amazonaws.com"))]:
        host = f"www.mine.{name}"
        assert prove("https://" + host.replace(".", r"\.")).domains == (
            suffix_list().registrable_domain(host),
        ), host


def test_the_trie_gives_the_domain_that_the_library_gives() -> None:
    suffixes = suffix_list()
    for name in _names():
        for host in (name, f"mine.{name}", f"www.mine.{name}"):
            # The library treats a name that has rules only below it as a suffix.
            if suffixes.registrable_domain(host) is not None:
                assert suffixes.find_domain(host) == suffixes.registrable_domain(host), host


def test_wildcards_and_exceptions() -> None:
    root = build_trie(["com", "*.ck", "!www.ck", "// ===BEGIN PRIVATE DOMAINS===", "hosting.com"])
    assert root.children["com"].rule is Section.ICANN
    assert root.children["com"].children["hosting"].rule is Section.PRIVATE
    assert root.children["ck"].wildcard is Section.ICANN
    assert root.children["ck"].exceptions == {"www"}


@pytest.mark.parametrize(
    ("pattern", "verdict", "domains"),
    [
        (r"https://www\.ck", Verdict.PROVED, ("www.ck",)),
        (r"https://a\.www\.ck", Verdict.PROVED, ("www.ck",)),
        (r"https://a\.b\.ck", Verdict.PROVED, ("a.b.ck",)),
        (r"https://a\.[a-z]+\.ck", Verdict.UNBOUNDED, ()),
        (r"https://[a-z]+\.kobe\.jp", Verdict.NEARMISS, ("city.kobe.jp",)),
        (r"https://kobe\.jp", Verdict.PROVED, ("kobe.jp",)),
        (r"https://amazonaws\.com", Verdict.PROVED, ("amazonaws.com",)),
        (r"https://x\.amazonaws\.com", Verdict.PROVED, ("amazonaws.com",)),
        (r"https://x\.s3\.amazonaws\.com", Verdict.PROVED, ("x.s3.amazonaws.com",)),
    ],
)
def test_the_corners_of_the_list(pattern: str, verdict: Verdict, domains: tuple[str, ...]) -> None:
    proof = prove(pattern)
    assert proof.verdict is verdict
    if verdict is Verdict.PROVED:
        assert proof.domains == domains


def test_the_list_knows_its_date() -> None:
    assert list_date().year >= 2025
    assert suffix_list() is suffix_list()


@pytest.mark.parametrize(
    ("pattern", "verdict"),
    [
        (r"https://.*\.[a-z0-9-]*-city\.kobe\.jp", Verdict.UNBOUNDED),
        (r"https://[^a-z]*\.[^a-z]*-www\.ck", Verdict.UNBOUNDED),
        (r"https://[^a-z]*-\d{1,3}\.compute\.amazonaws\.com", Verdict.TENANT),
    ],
)
def test_a_label_of_a_wildcard_rule_is_found_behind_a_hyphen(pattern: str, verdict: Verdict) -> None:
    """A node that is first reached by a hyphen, with which no label begins, is read by other letters, too."""
    proof = prove(pattern)
    assert proof.verdict is verdict
    assert proof.witness is not None
