"""An attack that works in some browsers only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from crossgate.diagnostics import Severity
from crossgate.lint.proof import FactCode
from crossgate.lint.proof_violations import facts
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.schemes import advice_for
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    message = "the entry admits {example}, a host that only some browsers accept"
    for violation in facts(subject, FactCode.BROWSER_SPECIFIC, message, if_unbounded=True):
        yield replace(violation, remedy=advice_for(str(violation.found)))


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
