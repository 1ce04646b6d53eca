"""`*` together with other entries."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import AnyOrigin


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        if isinstance(entry.pattern, AnyOrigin) and len(subject.entries) > 1:
            yield Violation(
                entry.path, "* admits every origin, so the other entries have no effect", found="*"
            )


RULE = Rule(
    code="star-mixed",
    title="* is combined with other entries",
    severity=Severity.WARNING,
    rationale=(
        "The star admits every origin, so the other entries have no effect. A reader will think that "
        "they have."
    ),
    remedy="Remove the star, or all other entries",
    find=_find,
    bad=(Example({"allowed_origins": ["*", "https://example.com"]}),),
    good=(
        Example({"allowed_origins": ["*"]}),
        Example({"allowed_origins": ["https://example.com"]}),
    ),
)
