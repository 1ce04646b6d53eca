"""A name that is known in one network only."""

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
        FactCode.INTERNAL,
        "the entry admits {example}, which any network can resolve to one of its own machines",
    )


RULE = Rule(
    code="internal-name",
    title="A name without a public suffix is admitted",
    severity=Severity.WARNING,
    rationale=(
        "Names such as intranet or app.internal are resolved by the network that the user is in. "
        "Another network resolves them to one of its own machines."
    ),
    remedy="Use a name below a domain that you own",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://intranet"]}),
        Example({"allowed_origins": [{"regex": "https://.*\\.internal"}]}),
    ),
    good=(Example({"allowed_origins": ["https://intranet.example.com"]}),),
)
