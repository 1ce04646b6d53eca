"""A response header among the request headers."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.headers import is_cors_response_header
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    for index, name in enumerate(subject.policy.allow_headers):
        if is_cors_response_header(name):
            yield Violation(
                ("allow_headers", index), "this header is part of the gateway's answer", found=name
            )


RULE = Rule(
    code="header-response-only",
    title="This header belongs into responses",
    severity=Severity.ERROR,
    rationale=(
        "Access-Control-Allow-Origin and its kin are what the gateway answers. Scripts that send "
        "them are mistaken, and a policy that allows them usually is as well."
    ),
    remedy="Leave it out",
    find=_find,
    bad=(
        Example(
            {"allowed_origins": ["https://example.com"], "allow_headers": ["Access-Control-Allow-Origin"]}
        ),
    ),
    good=(Example({"allowed_origins": ["https://example.com"], "allow_headers": ["Content-Type"]}),),
)
