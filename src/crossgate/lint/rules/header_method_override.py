"""A header that changes the method."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject
from crossgate.policy.special_headers import METHOD_OVERRIDES


def _find(subject: Subject) -> Iterator[Violation]:
    for index, name in enumerate(subject.policy.allow_headers):
        if name.lower() in METHOD_OVERRIDES:
            yield Violation(
                ("allow_headers", index),
                "with this header a POST can be any method to the native service",
                found=name,
            )


RULE = Rule(
    code="header-method-override",
    title="The header bypasses the list of methods",
    severity=Severity.WARNING,
    rationale=(
        "Many frameworks take the method from X-HTTP-Method-Override or a similar header. A POST with "
        "that header is a DELETE to the native service, but a POST to the policy."
    ),
    remedy="Remove the header, or allow the methods that it can stand for",
    find=_find,
    bad=(Example({"allowed_origins": ["https://example.com"], "allow_headers": ["X-HTTP-Method-Override"]}),),
    good=(Example({"allowed_origins": ["https://example.com"], "allow_headers": ["X-Requested-With"]}),),
)
