"""A few domains are admitted that nobody spelled out."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.attacks import attacked
from crossgate.lint.proof import Verdict
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import RegexOrigin


def _find(subject: Subject) -> Iterator[Violation]:
    yield from attacked(subject, Verdict.NEARMISS, RegexOrigin)


RULE = Rule(
    code="origin-nearmiss",
    title="Domains are admitted that nobody spelled out",
    severity=Severity.ERROR,
    rationale=(
        "A dot that is not escaped stands for any character, and so does each member of a character "
        "class in the registrable name: every one of these makes another domain, which may be free "
        "to register."
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
