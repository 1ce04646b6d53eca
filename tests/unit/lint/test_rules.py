"""Every rule finds something in its bad examples and nothing in its good ones, and has its page."""

from __future__ import annotations

import datetime as dt
import pkgutil
import re
from pathlib import Path

import pytest
from tests.random_origin_patterns import second_opinion

import crossgate.lint.rules as package
from crossgate.diagnostics import Severity
from crossgate.lint.check import CATALOGUE_CODES
from crossgate.lint.pages import rule_pages
from crossgate.lint.rule import Example, Rule
from crossgate.lint.rules import all_rules, rule_of
from crossgate.lint.subject import Subject
from crossgate.policy import CorsPolicy
from crossgate.policy.origin import Origin

ATTACKS = {"origin-unbounded", "origin-nearmiss", "origin-tld-wildcard", "suffix-tenant"}
PROPER_NOUNS = ("Content-Type", "Chromium", "Firefox", "WebKit")
ATTACKS |= {"wildcard-public-suffix", "wildcard-over-suffixes"}

BAD = [(rule, example) for rule in all_rules() for example in rule.bad]
GOOD = [(rule, example) for rule in all_rules() for example in rule.good]


@pytest.mark.parametrize(("rule", "example"), BAD, ids=[rule.code for rule, _ in BAD])
def test_a_bad_example_is_found(rule: Rule, example: Example) -> None:
    findings = list(rule.findings(example.subject()))
    assert findings
    for found in findings:
        assert found.diagnostic.code == rule.code
        message, remedy = found.diagnostic.message, found.diagnostic.remedy
        assert not message[0].isupper() or message.startswith(PROPER_NOUNS)
        assert remedy[0].isupper()
        assert not (message.endswith(".") or remedy.endswith("."))
        if rule.code in ATTACKS:
            assert found.witness is not None
            assert second_opinion(Origin.of(found.witness).host)


@pytest.mark.parametrize(("rule", "example"), GOOD, ids=[rule.code for rule, _ in GOOD])
def test_a_good_example_is_not(rule: Rule, example: Example) -> None:
    assert list(rule.findings(example.subject())) == []


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_a_rule_is_complete(rule: Rule) -> None:
    assert rule.good
    assert rule.bad or rule.code in CATALOGUE_CODES
    assert len(rule.rationale) > 40
    assert not rule.title.endswith(".")
    assert not rule.remedy.endswith(".")
    assert rule_of(rule.code) is rule


def test_each_file_is_named_after_its_rule() -> None:
    files = {found.name for found in pkgutil.iter_modules(package.__path__)}
    assert files == {rule.code.replace("-", "_") for rule in all_rules()}


@pytest.mark.parametrize("rule", [r for r in all_rules() if r.with_credentials], ids=lambda rule: rule.code)
def test_credentials_raise_the_severity(rule: Rule) -> None:
    found = next(rule.findings(rule.bad[0].subject(allow_credentials=True)))
    assert found.diagnostic.severity is rule.with_credentials is Severity.ERROR
    assert next(rule.findings(rule.bad[0].subject())).diagnostic.severity is rule.severity


def test_an_old_suffix_list_is_found() -> None:
    rule = rule_of("suffix-list-stale")
    assert rule is not None
    assert list(rule.findings(Subject(CorsPolicy(), today=dt.date(2100, 1, 1))))
    assert not list(rule.findings(Subject(CorsPolicy(), today=dt.date(2000, 1, 1))))


def test_no_page_has_a_word_that_is_broken_at_a_hyphen() -> None:
    broken = re.compile(r"\w-\s+\w")
    assert broken.search("a forbidden request- header")
    assert not [name for name, text in rule_pages().items() if broken.search(text)]


def test_every_rule_has_its_page_and_every_page_its_rule() -> None:
    folder = Path("docs/rules")
    expected = rule_pages()
    assert {page.name for page in folder.glob("*.md")} == set(expected)
    assert {f"{rule.code}.md" for rule in all_rules()} < set(expected)
    for name, text in expected.items():
        assert (folder / name).read_text(encoding="utf-8") == text, "run `make reference`"
