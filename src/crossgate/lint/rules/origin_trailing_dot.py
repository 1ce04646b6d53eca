"""A host that ends in the root's dot."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import FactCode
from crossgate.lint.proof_violations import facts
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    yield from facts(subject, FactCode.TRAILING_DOT, "the entry admits hosts that end in a dot")


RULE = Rule(
    code="origin-trailing-dot",
    title="A host with a trailing dot is admitted",
    severity=Severity.INFO,
    rationale=(
        "https://example.com. and https://example.com are different origins of the same site. Users "
        "rarely open the former. If they do, the API works only if the policy admits it."
    ),
    remedy="Remove the dot unless it is intended",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://example.com."]}),
        Example({"allowed_origins": [{"regex": "https://example\\.com\\.?"}]}),
    ),
    good=(Example({"allowed_origins": ["https://example.com"]}),),
)
