"""Anchors without effect."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import RegexOrigin


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        if isinstance(entry.pattern, RegexOrigin):
            pattern = entry.pattern.pattern
            if pattern.startswith(("^", "\\A")) or pattern.endswith(("$", "\\z")):
                yield Violation(
                    entry.path, "patterns match the whole origin, so anchors have no effect", found=pattern
                )


RULE = Rule(
    code="redundant-anchors",
    title="The anchors have no effect",
    severity=Severity.INFO,
    rationale=(
        "Patterns are matched against the whole origin. Anchors suggest that a pattern without them "
        "would match a part of an origin."
    ),
    remedy="Remove ^ and $",
    find=_find,
    bad=(Example({"allowed_origins": [{"regex": "^https://.*\\.example\\.com$"}]}),),
    good=(Example({"allowed_origins": [{"regex": "https://.*\\.example\\.com"}]}),),
)
