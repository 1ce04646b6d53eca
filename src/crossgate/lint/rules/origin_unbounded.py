"""Any registrant is admitted."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import Verdict
from crossgate.lint.proof_violations import attacks
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import RegexOrigin


def _find(subject: Subject) -> Iterator[Violation]:
    yield from attacks(subject, Verdict.UNBOUNDED, RegexOrigin)


RULE = Rule(
    code="origin-unbounded",
    title="An attacker can register a domain that is admitted",
    severity=Severity.ERROR,
    rationale=(
        "The regular expression admits infinitely many names below a public suffix. An attacker "
        "registers one of them, and a page there calls the API in the name of each of its visitors. "
        "Most such patterns lack an escaped dot before the domain, or leave the end of the host open."
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
        Example({"allowed_origins": ["*"]}, about="This entry allows everybody explicitly."),
    ),
)
