"""An attack that works in some browsers only."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import FactCode
from crossgate.lint.proof_violations import facts
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    yield from facts(
        subject,
        FactCode.BROWSER_SPECIFIC,
        "the entry admits {example}, a host that only some browsers accept",
        if_unbounded=True,
    )


RULE = Rule(
    code="browser-specific",
    title="The attack needs punctuation in a host",
    severity=Severity.WARNING,
    rationale=(
        "The URL standard allows characters such as ! or ` in a host, and some browsers resolve such "
        "names through DNS, where a wildcard record answers. Whether the attack works depends on the "
        "browser."
    ),
    remedy="Write [a-z0-9-] where the pattern allows any character",
    find=_find,
    bad=(Example({"allowed_origins": [{"regex": "https://example\\.com[^a-z0-9._-].*"}]}),),
    good=(Example({"allowed_origins": [{"regex": "https://example\\.com"}]}),),
)
