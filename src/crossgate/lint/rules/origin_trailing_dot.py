"""A host with the root's dot."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.attacks import plain, stated
from crossgate.lint.proof import FactCode
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    yield from stated(subject, FactCode.TRAILING_DOT, plain("it admits hosts that end in a dot"))


RULE = Rule(
    code="origin-trailing-dot",
    title="A host with a trailing dot is admitted",
    severity=Severity.INFO,
    rationale=(
        "https://example.com. and https://example.com are different origins of the same site. Users "
        "rarely come by the former; if they do, the API works or not depending on this."
    ),
    remedy="Leave the dot out unless it is meant",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://example.com."]}),
        Example({"allowed_origins": [{"regex": "https://example\\.com\\.?"}]}),
    ),
    good=(Example({"allowed_origins": ["https://example.com"]}),),
)
