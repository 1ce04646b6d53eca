"""Preflights are remembered for five seconds."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    if subject.policy.max_age is None and subject.policy.allowed_origins:
        yield Violation(("max_age",), "browsers remember the answer to a preflight for 5 seconds only")


RULE = Rule(
    code="maxage-unset",
    title="Without max_age answers are remembered for 5 seconds",
    severity=Severity.INFO,
    rationale=(
        "Browsers keep the answer to a preflight for 5 seconds if nothing is said (Fetch, CORS- "
        "preflight cache)."
    ),
    remedy="Set max_age, for example to 600",
    find=_find,
    bad=(Example({"allowed_origins": ["https://example.com"]}),),
    good=(Example({"allowed_origins": ["https://example.com"], "max_age": 600}),),
)
