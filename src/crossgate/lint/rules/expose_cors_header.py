"""A CORS response header in the list of exposed headers."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy.special_headers import is_cors_response_header


def _find(subject: Subject) -> Iterator[Violation]:
    for index, name in enumerate(subject.policy.expose_headers):
        if is_cors_response_header(name):
            yield Violation(("expose_headers", index), "browsers read this header, not scripts", found=name)


RULE = Rule(
    code="expose-cors-header",
    title="The header is for the browser",
    severity=Severity.WARNING,
    rationale=(
        "Access-Control-Allow-Methods, -Allow-Headers and -Max-Age are in responses to preflights, which no "
        "script sees. The others say only what a script knows already. Headers that scripts may send belong "
        "in allow_headers, and those that they may read in expose_headers."
    ),
    remedy="Remove the header",
    find=_find,
    bad=(
        Example(
            {"allowed_origins": ["https://example.com"], "expose_headers": ["Access-Control-Allow-Methods"]}
        ),
        Example({"allowed_origins": ["https://example.com"], "expose_headers": ["access-control-max-age"]}),
    ),
    good=(Example({"allowed_origins": ["https://example.com"], "expose_headers": ["ETag"]}),),
)
