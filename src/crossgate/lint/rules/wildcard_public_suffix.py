"""A wildcard directly below a public suffix."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof_violations import attack_on
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import WildcardOrigin


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        pattern = entry.pattern
        if (
            isinstance(pattern, WildcardOrigin)
            and pattern.any_subdomain
            and pattern.host in entry.proof.open_suffixes
        ):
            yield attack_on(entry)


RULE = Rule(
    code="wildcard-public-suffix",
    title="The wildcard is directly below a public suffix",
    severity=Severity.ERROR,
    rationale=(
        "Anybody can get a name below a public suffix: as a registry's customer below com, as a "
        "company's customer below github.io. The wildcard admits all of these names."
    ),
    remedy="Include your own domain in the pattern: https://*.example.com",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://*.com"]}),
        Example({"allowed_origins": ["https://*.github.io"]}),
    ),
    good=(
        Example({"allowed_origins": ["https://*.example.com"]}),
        Example({"allowed_origins": ["https://*.mine.github.io"]}),
    ),
)
