"""One name under every top-level domain."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.attacks import attacked
from crossgate.lint.proof import Verdict
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import RegexOrigin


def _find(subject: Subject) -> Iterator[Violation]:
    yield from attacked(subject, Verdict.MANY, RegexOrigin)


RULE = Rule(
    code="origin-tld-wildcard",
    title="One name is admitted under many public suffixes",
    severity=Severity.ERROR,
    rationale=(
        "Each top-level domain gives the same name to whoever asks first. A pattern that leaves it "
        "open trusts the owners of all of them."
    ),
    remedy="List the domains that you own",
    find=_find,
    bad=(Example({"allowed_origins": [{"regex": "https://example\\.[a-z]+"}]}),),
    good=(Example({"allowed_origins": [{"regex": "https://example\\.(com|net|org)"}]}),),
)
