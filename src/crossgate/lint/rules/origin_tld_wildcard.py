"""One name under every top-level domain."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import Verdict
from crossgate.lint.proof_violations import attacks
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import RegexOrigin


def _find(subject: Subject) -> Iterator[Violation]:
    yield from attacks(subject, Verdict.MANY, RegexOrigin)


RULE = Rule(
    code="origin-tld-wildcard",
    title="One name is admitted under many public suffixes",
    severity=Severity.ERROR,
    rationale=(
        "The same name can be registered under each top-level domain by a different owner. A pattern "
        "that leaves the top-level domain open trusts all of these owners."
    ),
    remedy="List the domains that you own",
    find=_find,
    bad=(Example({"allowed_origins": [{"regex": "https://example\\.[a-z]+"}]}),),
    good=(Example({"allowed_origins": [{"regex": "https://example\\.(com|net|org)"}]}),),
)
