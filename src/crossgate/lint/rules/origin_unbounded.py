"""Any registrant is admitted."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.attacks import attacked
from crossgate.lint.proof import Verdict
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import RegexOrigin


def _find(subject: Subject) -> Iterator[Violation]:
    yield from attacked(subject, Verdict.UNBOUNDED, RegexOrigin)


RULE = Rule(
    code="origin-unbounded",
    title="An attacker can register a domain that is admitted",
    severity=Severity.ERROR,
    rationale=(
        "The regular expression admits names below a public suffix without end, so an attacker "
        "registers one of them and every visitor of that page calls the API in the visitor's name. "
        "Most such patterns miss an escaped dot before the domain, or leave the end of the host "
        "open."
    ),
    remedy="Escape the dots, put \\. before the domain, and end with the top-level domain or a port",
    find=_find,
    bad=(
        Example({"allowed_origins": [{"regex": "https://.*example\\.com"}]}),
        Example({"allowed_origins": [{"regex": "https://example\\.com.*"}]}),
        Example({"allowed_origins": [{"regex": ".*"}]}),
    ),
    good=(
        Example({"allowed_origins": [{"regex": "https://(?:[a-z0-9-]+\\.)*example\\.com"}]}),
        Example({"allowed_origins": ["*"]}, about="It says itself that everybody is allowed."),
    ),
)
