"""A bare dot that admits no other domain."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import FactCode, Verdict, suggest
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import RegexOrigin


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        bare = isinstance(entry.pattern, RegexOrigin) and entry.proof.fact(FactCode.UNESCAPED_DOT)
        if bare and entry.proof.verdict is Verdict.PROVED:
            fix = suggest(entry.source, suffixes=entry.suffixes)
            remedy = None if fix is None else f"Write {fix}"
            yield Violation(entry.path, "a bare dot matches any character", entry.source, remedy, fix=fix)


RULE = Rule(
    code="unescaped-dot",
    title="A dot is not escaped",
    severity=Severity.INFO,
    rationale=(
        "A bare dot matches any character. Here that admits no other registrable domain, but the next "
        "edit may change that."
    ),
    remedy="Put a backslash before the dot",
    find=_find,
    bad=(Example({"allowed_origins": [{"regex": "https://example.com"}]}),),
    good=(Example({"allowed_origins": [{"regex": "https://example\\.com"}]}),),
)
