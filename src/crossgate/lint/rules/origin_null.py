"""The origin `null`."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import FactCode
from crossgate.lint.proof_violations import facts
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    yield from facts(
        subject,
        FactCode.NULL,
        "the entry admits null, which any page can send from a sandboxed frame",
        if_unbounded=True,
    )


RULE = Rule(
    code="origin-null",
    title="Any page can have the origin null",
    severity=Severity.WARNING,
    with_credentials=Severity.ERROR,
    rationale=(
        "null is not one origin: sandboxed frames, data: pages and files all send it, and any page can "
        "embed a sandboxed frame. To allow null is to allow everybody."
    ),
    remedy="Serve the page from an origin of its own and allow that origin",
    find=_find,
    bad=(
        Example({"allowed_origins": ["null"]}),
        Example({"allowed_origins": [{"regex": "null|https://example\\.com"}]}),
    ),
    good=(Example({"allowed_origins": ["https://example.com"]}),),
)
