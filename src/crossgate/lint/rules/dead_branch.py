"""A part of a pattern that matches no origin."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import Verdict, dead_parts
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import RegexOrigin

_OTHER_RULES = (Verdict.NEVER, Verdict.INVALID, Verdict.UNPROVEN)


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        if isinstance(entry.pattern, RegexOrigin) and entry.proof.verdict not in _OTHER_RULES:
            for part in dead_parts(entry.pattern.pattern):
                yield Violation(entry.path, f"no origin matches the part {part}", found=entry.source)


RULE = Rule(
    code="dead-branch",
    title="A part of the pattern never matches",
    severity=Severity.WARNING,
    rationale=(
        "An alternative that matches no origin has no effect. Often it was meant to match, and a slash, "
        "a capital letter or a default port prevents it."
    ),
    remedy="Remove the part, or write it as browsers send origins",
    find=_find,
    bad=(
        Example({"allowed_origins": [{"regex": "https://(example\\.com|EXAMPLE\\.net)"}]}),
        Example({"allowed_origins": [{"regex": "https://example\\.com(/.*)?"}]}),
    ),
    good=(Example({"allowed_origins": [{"regex": "https://(example\\.com|example\\.net)"}]}),),
)
