"""A host that is itself a public suffix."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import FactCode
from crossgate.lint.proof_violations import facts
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    message = "the entry admits {example}, which is itself a public suffix"
    for violation in facts(subject, FactCode.PUBLIC_SUFFIX_HOST, message):
        # s3.amazonaws.com is both, and shared-host says what is worse about it.
        if subject.entries[int(violation.path[1])].proof.fact(FactCode.SHARED_HOST) is None:
            yield violation


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
