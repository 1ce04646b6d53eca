"""Plain http, not on the own machine."""

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
        FactCode.HTTP,
        plain("it admits {example}: who is on the network can put scripts there"),
        always=True,
    )


RULE = Rule(
    code="http-origin",
    title="An origin without TLS is admitted",
    severity=Severity.WARNING,
    with_credentials=Severity.ERROR,
    rationale=(
        "Whoever is on the network between the user and an http origin can put scripts into its "
        "pages, and these read the API as the user."
    ),
    remedy="Serve the page by https and allow that",
    find=_find,
    bad=(
        Example({"allowed_origins": ["http://example.com"]}),
        Example({"allowed_origins": [{"regex": "https?://.*\\.example\\.com"}]}),
    ),
    good=(
        Example({"allowed_origins": ["https://example.com"]}),
        Example({"allowed_origins": ["http://localhost:3000"]}),
    ),
)
