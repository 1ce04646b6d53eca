"""The same entry twice."""

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
            yield Violation(entry.path, f"the same stands at position {first + 1}", found=entry.text)


RULE = Rule(
    code="duplicate",
    title="An entry stands there twice",
    severity=Severity.INFO,
    rationale=(
        "The second does nothing. Whoever removes one of them will believe the origin is no longer allowed."
    ),
    remedy="Remove one of them",
    find=_find,
    bad=(Example({"allowed_origins": ["https://example.com", "https://example.com"]}),),
    good=(Example({"allowed_origins": ["https://example.com", "https://example.org"]}),),
)
