"""An attack that works in some browsers only."""

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
        FactCode.BROWSER_SPECIFIC,
        plain("it admits {example}, which not every browser lets through"),
        always=True,
    )


RULE = Rule(
    code="browser-specific",
    title="The attack needs punctuation in a host",
    severity=Severity.WARNING,
    rationale=(
        "The URL standard leaves characters such as ! or ` standing in a host, and some browsers "
        "ask the DNS for them; a wildcard record answers. Whether the attack works depends on the "
        "browser."
    ),
    remedy="Allow [a-z0-9-] where the pattern allows any character",
    find=_find,
    bad=(Example({"allowed_origins": [{"regex": "https://example\\.com[^a-z0-9._-].*"}]}),),
    good=(Example({"allowed_origins": [{"regex": "https://example\\.com"}]}),),
)
