"""A name that only one's own network knows."""

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
        FactCode.INTERNAL,
        plain("it admits {example}, which any network may resolve to a machine of its own"),
    )


RULE = Rule(
    code="internal-name",
    title="A name under no public suffix is admitted",
    severity=Severity.WARNING,
    rationale=(
        "Names such as intranet or app.internal are resolved by the network the user happens to be "
        "in; another network resolves them to a machine of its own."
    ),
    remedy="Use a name below a domain that you own",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://intranet"]}),
        Example({"allowed_origins": [{"regex": "https://.*\\.internal"}]}),
    ),
    good=(Example({"allowed_origins": ["https://intranet.example.com"]}),),
)
