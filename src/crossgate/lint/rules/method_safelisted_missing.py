"""Methods that need no preflight are not listed."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject, SubjectKind
from crossgate.policy import names


def _find(subject: Subject) -> Iterator[Violation]:
    methods = subject.allowed_methods
    if methods and not methods & {"GET", "HEAD", "POST", names.ANY}:
        yield Violation(
            ("allowed_methods",),
            "simple GET, HEAD and POST requests are forwarded although none of them is listed",
        )


RULE = Rule(
    code="method-safelisted-missing",
    title="Simple requests are forwarded whatever the methods",
    severity=Severity.INFO,
    rationale=(
        "GET, HEAD and POST need no preflight if they have only safelisted headers. Browsers send them "
        "at once, and the gateway forwards them if the origin is allowed, although the policy lists "
        "none of these methods."
    ),
    remedy="Let the native service refuse the methods that it does not support",
    find=_find,
    kinds=frozenset({SubjectKind.API}),
    bad=(Example({"allowed_origins": ["https://example.com"], "allowed_methods": ["PUT", "DELETE"]}),),
    good=(
        Example({"allowed_origins": ["https://example.com"], "allowed_methods": ["GET", "PUT"]}),
        Example({"allowed_origins": ["https://example.com"], "allowed_methods": ["*"]}),
    ),
)
