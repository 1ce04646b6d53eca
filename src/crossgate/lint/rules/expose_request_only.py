"""A request header in the list of exposed headers."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy.special_headers import is_request_only


def _find(subject: Subject) -> Iterator[Violation]:
    for index, name in enumerate(subject.policy.expose_headers):
        if is_request_only(name):
            yield Violation(("expose_headers", index), "no response has this header", found=name)


RULE = Rule(
    code="expose-request-only",
    title="The header occurs in requests only",
    severity=Severity.ERROR,
    rationale=(
        "Browsers send Origin, Host, Cookie, Referer and Access-Control-Request-*. No response has "
        "them, so there is nothing to expose."
    ),
    remedy="Remove the header",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://example.com"], "expose_headers": ["Origin"]}),
        Example(
            {"allowed_origins": ["https://example.com"], "expose_headers": ["Access-Control-Request-Method"]}
        ),
    ),
    good=(Example({"allowed_origins": ["https://example.com"], "expose_headers": ["ETag"]}),),
)
