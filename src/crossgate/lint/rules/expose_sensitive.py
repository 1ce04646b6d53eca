"""A response header with a secret."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy.special_headers import SENSITIVE_RESPONSE_HEADERS


def _find(subject: Subject) -> Iterator[Violation]:
    for index, name in enumerate(subject.policy.expose_headers):
        if name.lower() in SENSITIVE_RESPONSE_HEADERS:
            yield Violation(
                ("expose_headers", index), "scripts of every allowed origin can read this secret", found=name
            )


RULE = Rule(
    code="expose-sensitive",
    title="The header contains a secret",
    severity=Severity.WARNING,
    rationale=(
        "Scripts cannot read a token in a response header unless the header is exposed. Once it is, a "
        "cross-site scripting hole in any allowed origin reads the token."
    ),
    remedy="Remove the header, or let the native service send the token in an HttpOnly cookie",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://example.com"], "expose_headers": ["Authorization"]}),
        Example({"allowed_origins": ["https://example.com"], "expose_headers": ["X-Auth-Token"]}),
    ),
    good=(Example({"allowed_origins": ["https://example.com"], "expose_headers": ["X-Request-Id"]}),),
)
