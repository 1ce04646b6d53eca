"""A few domains that the pattern does not spell out."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import Verdict
from crossgate.lint.proof_violations import attacks
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import RegexOrigin


def _find(subject: Subject) -> Iterator[Violation]:
    yield from attacks(subject, Verdict.NEARMISS, RegexOrigin)


RULE = Rule(
    code="origin-nearmiss",
    title="The pattern admits domains that it does not spell out",
    severity=Severity.ERROR,
    rationale=(
        "A dot that is not escaped matches any character, and a character class in the registrable name "
        "matches each of its members. Every one of these characters makes another domain, which may be "
        "free to register."
    ),
    remedy="Escape the dots; spell out each registrable name",
    find=_find,
    bad=(
        Example({"allowed_origins": [{"regex": "https://www.example.com"}]}),
        Example({"allowed_origins": [{"regex": "https://example-[0-9]\\.com"}]}),
    ),
    good=(
        Example({"allowed_origins": [{"regex": "https://www\\.example\\.com"}]}),
        Example({"allowed_origins": [{"regex": "https://example-(staging|prod)\\.com"}]}),
    ),
)
