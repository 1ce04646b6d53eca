"""An http origin that is not on the user's machine."""

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
        FactCode.HTTP,
        "the entry admits {example}: anyone on the network path can inject scripts into that page",
        if_unbounded=True,
    )


RULE = Rule(
    code="http-origin",
    title="An origin without TLS is admitted",
    severity=Severity.WARNING,
    with_credentials=Severity.ERROR,
    rationale=(
        "Anyone on the network path between the user and an http origin can inject scripts into its "
        "pages. Those scripts call the API as the user."
    ),
    remedy="Serve the page over https and allow that origin",
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
