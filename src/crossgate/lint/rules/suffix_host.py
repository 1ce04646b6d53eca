"""A public suffix itself as host."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.attacks import plain, stated
from crossgate.lint.proof import FactCode
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    yield from stated(
        subject, FactCode.PUBLIC_SUFFIX_HOST, plain("it admits {example}, a public suffix itself")
    )


RULE = Rule(
    code="suffix-host",
    title="The host is itself a public suffix",
    severity=Severity.INFO,
    rationale=(
        "github.io and the like are hosts too, owned by whoever gives out the names below them. "
        "Rarely is that what was meant."
    ),
    remedy="Check that the origin of the company itself is meant, not that of a customer",
    find=_find,
    bad=(Example({"allowed_origins": ["https://github.io"]}),),
    good=(Example({"allowed_origins": ["https://mine.github.io"]}),),
)
