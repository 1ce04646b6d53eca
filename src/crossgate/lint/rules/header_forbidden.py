"""A header that no script can set."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy.special_headers import is_forbidden_request_header


def _find(subject: Subject) -> Iterator[Violation]:
    for index, name in enumerate(subject.policy.allow_headers):
        if is_forbidden_request_header(name):
            cookie = name.lower() in ("cookie", "cookie2")
            yield Violation(
                ("allow_headers", index),
                "no script can set this header",
                found=name,
                remedy="Remove the header; cookies are sent if allow_credentials is true" if cookie else None,
            )


RULE = Rule(
    code="header-forbidden",
    title="No script can set the header",
    severity=Severity.ERROR,
    rationale=(
        "Browsers set these headers themselves and do not let scripts set them "
        "(https://fetch.spec.whatwg.org/#forbidden-request-header). No preflight asks for them."
    ),
    remedy="Remove the header",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://example.com"], "allow_headers": ["Cookie"]}),
        Example({"allowed_origins": ["https://example.com"], "allow_headers": ["Sec-Fetch-Mode"]}),
        Example({"allowed_origins": ["https://example.com"], "allow_headers": ["Host"]}),
    ),
    good=(
        Example(
            {
                "allowed_origins": ["https://example.com"],
                "allow_headers": ["Content-Type", "X-Requested-With"],
            }
        ),
    ),
)
