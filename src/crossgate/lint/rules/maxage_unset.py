"""A policy without max_age."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject, SubjectKind


def _find(subject: Subject) -> Iterator[Violation]:
    if subject.policy.max_age is None and subject.policy.allowed_origins:
        yield Violation(("max_age",), "browsers cache the response to a preflight for only 5 seconds")


RULE = Rule(
    code="maxage-unset",
    title="Without max_age, responses to preflights are cached for 5 seconds",
    severity=Severity.INFO,
    rationale=(
        "Browsers cache the response to a preflight for 5 seconds unless Access-Control-Max-Age sets "
        "another time (https://fetch.spec.whatwg.org/#cors-preflight-fetch)."
    ),
    remedy="Set max_age, for example to 600",
    find=_find,
    kinds=frozenset({SubjectKind.API, SubjectKind.SETTINGS}),
    bad=(Example({"allowed_origins": ["https://example.com"]}),),
    good=(Example({"allowed_origins": ["https://example.com"], "max_age": 600}),),
)
