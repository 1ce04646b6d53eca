"""The origin `null`."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.attacks import plain, stated
from crossgate.lint.proof import FactCode
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    yield from stated(
        subject,
        FactCode.NULL,
        plain("it admits null, which any page can send from a sandboxed frame"),
        always=True,
    )


RULE = Rule(
    code="origin-null",
    title="Any page can have the origin null",
    severity=Severity.WARNING,
    with_credentials=Severity.ERROR,
    rationale=(
        "null is not one origin: sandboxed frames, data: pages and files all send it, and any page "
        "can put itself into a sandboxed frame. Allowing null is allowing everybody."
    ),
    remedy="Serve the page from an origin of its own and allow that",
    find=_find,
    bad=(
        Example({"allowed_origins": ["null"]}),
        Example({"allowed_origins": [{"regex": "null|https://example\\.com"}]}),
    ),
    good=(Example({"allowed_origins": ["https://example.com"]}),),
)
