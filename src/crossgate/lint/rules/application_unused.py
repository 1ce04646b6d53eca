"""An application that uses no API."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.catalogue.model import Application
from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject, SubjectKind


def _find(subject: Subject) -> Iterator[Violation]:
    if subject.application is not None and not subject.application.apis:
        yield Violation((), "the application is associated with no API, so its origins have no effect")


RULE = Rule(
    code="application-unused",
    title="The application is associated with no API",
    severity=Severity.INFO,
    kinds=frozenset({SubjectKind.APPLICATION}),
    rationale=(
        "The origins of an application count as allowed origins of the APIs that it is associated with. "
        "Without an API they have no effect, until somebody adds one and trusts them unseen."
    ),
    remedy="Add its APIs, or delete the application",
    find=_find,
    bad=(Example({}, application=Application("shop", ("https://example.com",))),),
    good=(Example({}, application=Application("shop", ("https://example.com",), ("petstore/1.0",))),),
)
