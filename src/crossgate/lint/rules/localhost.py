"""The user's own machine."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.attacks import plain, stated
from crossgate.lint.proof import FactCode
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    yield from stated(
        subject, FactCode.LOOPBACK, plain("it admits {example}: any local program may have that origin")
    )


RULE = Rule(
    code="localhost",
    title="Any program on the user's machine is trusted",
    severity=Severity.WARNING,
    with_credentials=Severity.ERROR,
    rationale=(
        "Every program that listens on a port of the user's machine has such an origin: a "
        "development server with a hole, another user's on a shared machine, an app on a phone."
    ),
    remedy="Keep it out of production policies; use a file of its own for development",
    find=_find,
    bad=(
        Example({"allowed_origins": ["http://localhost:3000"]}),
        Example({"allowed_origins": [{"regex": "https?://127\\.0\\.0\\.1(:\\d+)?"}]}),
    ),
    good=(Example({"allowed_origins": ["https://example.com"]}),),
)
