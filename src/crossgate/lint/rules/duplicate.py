"""An entry that is listed twice."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    seen: dict[object, int] = {}
    for entry in subject.entries:
        first = seen.setdefault(entry.pattern, entry.index)
        if first != entry.index:
            yield Violation(entry.path, f"duplicate of entry {first + 1}", found=entry.source)


RULE = Rule(
    code="duplicate",
    title="Duplicate entry",
    severity=Severity.INFO,
    rationale=(
        "The second entry has no effect. A person who removes one of the two will think that the origin "
        "is no longer allowed."
    ),
    remedy="Remove one of them",
    find=_find,
    bad=(Example({"allowed_origins": ["https://example.com", "https://example.com"]}),),
    good=(Example({"allowed_origins": ["https://example.com", "https://example.org"]}),),
)
