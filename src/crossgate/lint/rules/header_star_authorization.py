"""`*` without Authorization."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy import names


def _find(subject: Subject) -> Iterator[Violation]:
    if names.ANY in subject.header_names and "authorization" not in subject.header_names:
        yield Violation(
            ("allow_headers",), "* does not cover Authorization, so requests with a token are refused"
        )


RULE = Rule(
    code="header-star-authorization",
    title="* does not cover Authorization",
    severity=Severity.WARNING,
    rationale=(
        "In a list of headers, * stands for every name but Authorization, which must be listed "
        "explicitly (https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name). Requests "
        "with a bearer token are refused."
    ),
    remedy="Add Authorization if scripts send it",
    find=_find,
    bad=(Example({"allowed_origins": ["https://example.com"], "allow_headers": ["*"]}),),
    good=(
        Example({"allowed_origins": ["https://example.com"], "allow_headers": ["*", "Authorization"]}),
        Example({"allowed_origins": ["https://example.com"], "allow_headers": ["X-A"]}),
    ),
)
