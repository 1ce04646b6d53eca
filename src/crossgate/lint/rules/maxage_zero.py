"""No preflight is remembered."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    if subject.policy.max_age == 0:
        yield Violation(("max_age",), "browsers ask again before every call", found="0")


RULE = Rule(
    code="maxage-zero",
    title="Every call costs a preflight",
    severity=Severity.WARNING,
    rationale=("With 0 browsers remember no answer: each request that needs a preflight is two."),
    remedy="Write the seconds for which an answer may be remembered, for example 600",
    find=_find,
    bad=(Example({"allowed_origins": ["https://example.com"], "max_age": 0}),),
    good=(Example({"allowed_origins": ["https://example.com"], "max_age": 600}),),
)
