"""A header that scripts can read in any case."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy.special_headers import SAFELISTED_RESPONSE_HEADERS


def _find(subject: Subject) -> Iterator[Violation]:
    for index, name in enumerate(subject.policy.expose_headers):
        if name.lower() in SAFELISTED_RESPONSE_HEADERS:
            yield Violation(
                ("expose_headers", index),
                "scripts can read this header even if it is not exposed",
                found=name,
            )


RULE = Rule(
    code="expose-safelisted",
    title="Scripts can read the header even if it is not exposed",
    severity=Severity.INFO,
    rationale=(
        "Cache-Control, Content-Language, Content-Length, Content-Type, Expires, Last-Modified and "
        "Pragma are always readable "
        "(https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name)."
    ),
    remedy="Remove the header",
    find=_find,
    bad=(Example({"allowed_origins": ["https://example.com"], "expose_headers": ["Content-Type"]}),),
    good=(Example({"allowed_origins": ["https://example.com"], "expose_headers": ["ETag"]}),),
)
