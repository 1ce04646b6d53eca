"""A pattern that also matches the string `*`."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import FactCode
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import RegexOrigin


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        if isinstance(entry.pattern, RegexOrigin) and entry.proof.fact(FactCode.MATCHES_STAR):
            yield Violation(
                entry.path, "the pattern matches the string *, which no browser sends", found=entry.source
            )


RULE = Rule(
    code="matches-star",
    title="The pattern matches the string *",
    severity=Severity.ERROR,
    rationale=(
        "Some engines test whether a policy matches `*` and then allow everybody; Envoy's own CORS "
        "filter does. Crossgate does not, but the pattern may be copied to such an engine, and no "
        "origin contains a star."
    ),
    remedy="Begin the pattern with https://",
    find=_find,
    bad=(Example({"allowed_origins": [{"regex": ".*"}]}),),
    good=(Example({"allowed_origins": [{"regex": "https://.*\\.example\\.com"}]}),),
)
