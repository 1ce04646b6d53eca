"""A wildcard above public suffixes."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import Verdict
from crossgate.lint.proof_violations import attack_on
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import WildcardOrigin


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        pattern = entry.pattern
        bad = entry.proof.verdict in (Verdict.TENANT, Verdict.UNBOUNDED)
        if isinstance(pattern, WildcardOrigin) and bad and pattern.host not in entry.proof.open_suffixes:
            yield attack_on(entry)


RULE = Rule(
    code="wildcard-over-suffixes",
    title="There are public suffixes below the wildcard",
    severity=Severity.ERROR,
    rationale=(
        "The domain itself has one owner, but that owner gives names below it to customers: "
        "amazonaws.com is Amazon's, a name below s3.amazonaws.com can be anybody's."
    ),
    remedy="Include your own domain in the pattern",
    find=_find,
    bad=(Example({"allowed_origins": ["https://*.amazonaws.com"]}),),
    good=(Example({"allowed_origins": ["https://*.my-bucket.s3.amazonaws.com"]}),),
)
