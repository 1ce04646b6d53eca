"""Origins outside of the trusted domains."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.coverage import outside_trusted_domains
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    if subject.trusted_domains:
        yield from outside_trusted_domains(subject)


RULE = Rule(
    code="untrusted-domain",
    title="An origin outside of the trusted domains is admitted",
    severity=Severity.ERROR,
    rationale=(
        "The API lists the domains that it trusts. What its policy admits, including the origins of its "
        "applications, must be proved to lie within them. Where it does not, the finding shows an "
        "origin outside."
    ),
    remedy="Remove the entry, narrow it, or add its domain to trusted_domains",
    find=_find,
    bad=(
        Example(
            {"allowed_origins": ["https://example.com", "https://example.org"]},
            trusted_domains=("example.com",),
        ),
        Example(
            {"allowed_origins": [{"regex": "https?://.*\\.example\\.com"}]},
            application_origins=("https://shop.example.net",),
            trusted_domains=("example.com",),
        ),
        Example({"allowed_origins": ["*"]}, trusted_domains=("example.com",)),
    ),
    good=(
        Example(
            {
                "allowed_origins": [
                    "https://*.example.com",
                    {"regex": "https://(a|b)\\.example\\.com(:\\d+)?"},
                ]
            },
            application_origins=("https://shop.example.com",),
            trusted_domains=("example.com",),
        ),
        Example({"allowed_origins": ["https://example.org"]}),
    ),
)
