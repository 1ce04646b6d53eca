"""An entry that is listed twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    seen: dict[object, int] = {}
    for entry in subject.entries:
        first = seen.setdefault(entry.pattern, entry.index)
        if first != entry.index:
            yield Violation(entry.path, f"duplicate of entry {first + 1}", found=entry.source)
    policy = subject.policy
    yield from _repeated("allowed_methods", policy.allowed_methods, policy.allowed_methods)
    for name, headers in (("allow_headers", policy.allow_headers), ("expose_headers", policy.expose_headers)):
        yield from _repeated(name, headers, [header.lower() for header in headers])


def _repeated(name: str, shown: Sequence[str], compared: Sequence[str]) -> Iterator[Violation]:
    seen: dict[str, int] = {}
    for index, value in enumerate(compared):
        first = seen.setdefault(value, index)
        if first != index:
            yield Violation((name, index), f"duplicate of entry {first + 1}", found=shown[index])


RULE = Rule(
    code="duplicate",
    title="Duplicate entry",
    severity=Severity.INFO,
    rationale=(
        "The second entry has no effect. An editor who removes one of the two may believe that the "
        "origin, the method or the header is then refused. Names of headers are compared without case."
    ),
    remedy="Remove one of them",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://example.com", "https://example.com"]}),
        Example({"allowed_origins": ["https://example.com"], "allowed_methods": ["GET", "POST", "GET"]}),
        Example({"allowed_origins": ["https://example.com"], "allow_headers": ["X-Page", "x-page"]}),
        Example({"allowed_origins": ["https://example.com"], "expose_headers": ["ETag", "Etag"]}),
    ),
    good=(Example({"allowed_origins": ["https://example.com", "https://example.org"]}),),
)
