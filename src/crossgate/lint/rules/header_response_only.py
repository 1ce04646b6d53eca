"""A response header in the list of request headers."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy.special_headers import is_cors_response_header


def _find(subject: Subject) -> Iterator[Violation]:
    for index, name in enumerate(subject.policy.allow_headers):
        if is_cors_response_header(name):
            yield Violation(
                ("allow_headers", index), "this header is part of the gateway's responses", found=name
            )


RULE = Rule(
    code="header-response-only",
    title="The header occurs in responses only",
    severity=Severity.ERROR,
    rationale=(
        "The gateway sends Access-Control-Allow-Origin and similar headers in its responses. A script "
        "that sends them is mistaken, and so is usually the policy that allows them."
    ),
    remedy="Remove the header",
    find=_find,
    bad=(
        Example(
            {"allowed_origins": ["https://example.com"], "allow_headers": ["Access-Control-Allow-Origin"]}
        ),
    ),
    good=(Example({"allowed_origins": ["https://example.com"], "allow_headers": ["Content-Type"]}),),
)
