"""Set-Cookie is never exposed."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy.special_headers import FORBIDDEN_RESPONSE_HEADERS


def _find(subject: Subject) -> Iterator[Violation]:
    for index, name in enumerate(subject.policy.expose_headers):
        if name.lower() in FORBIDDEN_RESPONSE_HEADERS:
            yield Violation(("expose_headers", index), "no script can read this header", found=name)


RULE = Rule(
    code="expose-forbidden",
    title="Browsers never expose this header to scripts",
    severity=Severity.ERROR,
    rationale=(
        "Set-Cookie and Set-Cookie2 are forbidden response-header names "
        "(https://fetch.spec.whatwg.org/#forbidden-response-header-name): no script can read them, "
        "whatever the policy says."
    ),
    remedy="Remove the header",
    find=_find,
    bad=(Example({"allowed_origins": ["https://example.com"], "expose_headers": ["Set-Cookie"]}),),
    good=(Example({"allowed_origins": ["https://example.com"], "expose_headers": ["X-Request-Id"]}),),
)
