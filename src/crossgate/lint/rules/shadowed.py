"""An entry that another one includes."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.coverage import shadowed_entries
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    for entry, other in shadowed_entries(subject):
        yield Violation(
            entry.path, f"{other.source} admits everything that this entry admits", found=entry.source
        )


RULE = Rule(
    code="shadowed",
    title="Another entry admits everything that this entry admits",
    severity=Severity.INFO,
    rationale="Removing the entry has no effect, although it looks as if it had.",
    remedy="Remove the entry, or narrow the other one",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://app.example.com", "https://*.example.com"]}),
        Example(
            {
                "allowed_origins": [
                    {"regex": "https://a\\.example\\.com"},
                    {"regex": "https://[a-z]+\\.example\\.com"},
                ]
            }
        ),
    ),
    good=(Example({"allowed_origins": ["https://example.com", "https://*.example.com"]}),),
)
