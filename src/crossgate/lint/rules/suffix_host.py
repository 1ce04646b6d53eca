"""A host that is itself a public suffix."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import FactCode
from crossgate.lint.proof_violations import facts
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    yield from facts(
        subject, FactCode.PUBLIC_SUFFIX_HOST, "the entry admits {example}, which is itself a public suffix"
    )


RULE = Rule(
    code="suffix-host",
    title="The host is itself a public suffix",
    severity=Severity.INFO,
    rationale=(
        "github.io and similar names are hosts too. They belong to the company that gives out the names "
        "below them, and are rarely the origin that was meant."
    ),
    remedy="Check that the company's own origin is meant, not a customer's",
    find=_find,
    bad=(Example({"allowed_origins": ["https://github.io"]}),),
    good=(Example({"allowed_origins": ["https://mine.github.io"]}),),
)
