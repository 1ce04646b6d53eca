"""A request header among the exposed."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.headers import is_request_only
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    for index, name in enumerate(subject.policy.expose_headers):
        if is_request_only(name):
            yield Violation(("expose_headers", index), "no response has this header", found=name)


RULE = Rule(
    code="expose-request-only",
    title="This header is part of requests",
    severity=Severity.ERROR,
    rationale=(
        "Origin and Access-Control-Request-* are sent by browsers; no response has them, so there "
        "is nothing to expose."
    ),
    remedy="Leave it out",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://example.com"], "expose_headers": ["Origin"]}),
        Example(
            {"allowed_origins": ["https://example.com"], "expose_headers": ["Access-Control-Request-Method"]}
        ),
    ),
    good=(Example({"allowed_origins": ["https://example.com"], "expose_headers": ["ETag"]}),),
)
