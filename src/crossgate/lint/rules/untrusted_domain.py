"""Origins outside of the trusted domains."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.lint.trust import outside_of_trust


def _find(subject: Subject) -> Iterator[Violation]:
    if subject.trusted_domains:
        yield from outside_of_trust(subject)


RULE = Rule(
    code="untrusted-domain",
    title="An origin outside of the trusted domains is admitted",
    severity=Severity.ERROR,
    rationale=(
        "The API states whom it trusts. What its policy admits, the origins of its applications "
        "included, is proven to lie within; where it does not, here is an origin outside."
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
