"""A policy without origins."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject, SubjectKind


def _find(subject: Subject) -> Iterator[Violation]:
    if not subject.policy.allowed_origins and not subject.application_origins:
        yield Violation((), "the policy allows no origin, so every CORS request is refused")


RULE = Rule(
    code="empty-policy",
    title="The policy allows no origin",
    severity=Severity.WARNING,
    rationale=(
        "A policy without origins refuses every request that has an Origin header. If pass-through is "
        "intended, the API must have no policy."
    ),
    remedy="Add origins, or remove cors to pass everything through to the native service",
    find=_find,
    kinds=frozenset({SubjectKind.API}),
    bad=(Example({"allowed_origins": []}),),
    good=(
        Example({"allowed_origins": ["https://example.com"]}),
        Example({"allowed_origins": []}, application_origins=("https://shop.example.com",)),
    ),
)
