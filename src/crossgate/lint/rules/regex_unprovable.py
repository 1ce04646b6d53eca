"""A pattern that is too complex to be proved."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import Verdict
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        if entry.proof.verdict is Verdict.UNPROVEN:
            yield Violation(entry.path, entry.proof.reason or "the proof failed", found=entry.source)


RULE = Rule(
    code="regex-unprovable",
    title="What the regular expression admits could not be proved",
    severity=Severity.ERROR,
    rationale=(
        "The work of a proof is bounded. A pattern that exceeds the bound is not necessarily wrong, but "
        "nobody can tell that it is right."
    ),
    remedy="Write a simpler pattern, or several",
    find=_find,
    bad=(Example({"allowed_origins": [{"regex": "https://(?:.{0,31}){0,31}\\.example\\.com"}]}),),
    good=(Example({"allowed_origins": [{"regex": "https://.*\\.example\\.com"}]}),),
)
