"""A max_age of 0."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    if subject.policy.max_age == 0:
        yield Violation(
            ("max_age",), "browsers send a preflight before every request that needs one", found="0"
        )


RULE = Rule(
    code="maxage-zero",
    title="Every request costs a preflight",
    severity=Severity.WARNING,
    rationale=(
        "With 0, browsers cache no response to a preflight. Each request that needs a preflight becomes "
        "two requests."
    ),
    remedy="Set max_age to the seconds that a response may be cached, for example 600",
    find=_find,
    bad=(Example({"allowed_origins": ["https://example.com"], "max_age": 0}),),
    good=(Example({"allowed_origins": ["https://example.com"], "max_age": 600}),),
)
