"""The user's own machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from crossgate.diagnostics import Severity
from crossgate.lint.proof import FactCode
from crossgate.lint.proof_violations import facts
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.schemes import local_app_advice
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    message = "the entry admits {example}, which any program on the user's machine can have"
    for violation in facts(subject, FactCode.LOOPBACK, message):
        yield replace(violation, remedy=local_app_advice(violation.found))


RULE = Rule(
    code="localhost",
    title="Any program on the user's machine is trusted",
    severity=Severity.WARNING,
    with_credentials=Severity.ERROR,
    rationale=(
        "Every program that listens on a port of the user's machine has such an origin: a vulnerable "
        "development server, a program of another user on a shared machine, an app on a phone."
    ),
    remedy="Remove it from production policies; use a separate file for development",
    find=_find,
    bad=(
        Example({"allowed_origins": ["http://localhost:3000"]}),
        Example({"allowed_origins": ["https://localhost"]}, about="What Capacitor apps send on Android."),
        Example({"allowed_origins": [{"regex": "https?://127\\.0\\.0\\.1(:\\d+)?"}]}),
    ),
    good=(Example({"allowed_origins": ["https://example.com"]}),),
)
