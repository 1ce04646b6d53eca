"""`*` together with other entries."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject, SubjectKind
from crossgate.policy import AnyOrigin
from crossgate.policy.names import ANY


def _find(subject: Subject) -> Iterator[Violation]:
    for entry in subject.entries:
        if isinstance(entry.pattern, AnyOrigin) and len(subject.entries) > 1:
            yield Violation(
                entry.path, "* admits every origin, so the other entries have no effect", found="*"
            )
    for name, values, kind, kept in _lists(subject):
        others = [value for value in values if value != ANY and value.lower() != kept]
        if ANY in values and others:
            yield Violation(
                (name, values.index(ANY)), f"* allows every {kind}, so {', '.join(others)} has no effect", ANY
            )


def _lists(subject: Subject) -> Iterator[tuple[str, tuple[str, ...], str, str | None]]:
    """The lists in which * stands for all, with what it does not stand for."""
    if subject.kind is SubjectKind.API:
        yield "allowed_methods", subject.policy.allowed_methods, "method", None
        yield "allow_headers", subject.policy.allow_headers, "header but Authorization", "authorization"
        yield "expose_headers", subject.policy.expose_headers, "header", None


RULE = Rule(
    code="star-mixed",
    title="* is combined with other entries",
    severity=Severity.WARNING,
    rationale=(
        "The star stands for every origin, method or header (but for Authorization, which must be named), so "
        "the other entries have no effect. A reader will think that they have."
    ),
    remedy="Remove the star, or all other entries",
    find=_find,
    bad=(
        Example({"allowed_origins": ["*", "https://example.com"]}),
        Example({"allowed_origins": ["https://example.com"], "allowed_methods": ["GET", "*"]}),
        Example({"allowed_origins": ["https://example.com"], "allow_headers": ["*", "X-Page"]}),
        Example({"allowed_origins": ["https://example.com"], "expose_headers": ["*", "ETag"]}),
    ),
    good=(
        Example({"allowed_origins": ["*"]}),
        Example({"allowed_origins": ["https://example.com"], "allow_headers": ["*", "Authorization"]}),
    ),
)
