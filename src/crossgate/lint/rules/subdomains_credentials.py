"""Every subdomain, with credentials."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.coverage import admits_any_subdomain
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    if not subject.policy.allow_credentials:
        return
    for entry in subject.entries:
        if entry.proof.lists_every_domain and admits_any_subdomain(entry):
            yield Violation(entry.path, "every subdomain may send credentials", found=entry.source)


RULE = Rule(
    code="subdomains-credentials",
    title="Every subdomain may send credentials",
    severity=Severity.INFO,
    rationale=(
        "One subdomain that still points to a service you gave up, or one cross-site scripting hole on "
        "any subdomain, is enough to read the API as the user."
    ),
    remedy="List the subdomains that need credentials",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://*.example.com"], "allow_credentials": True}),
        Example({"allowed_origins": [{"regex": "https://.*\\.example\\.com"}], "allow_credentials": True}),
    ),
    good=(
        Example({"allowed_origins": ["https://*.example.com"]}),
        Example({"allowed_origins": ["https://app.example.com"], "allow_credentials": True}),
    ),
)
