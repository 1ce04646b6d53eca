"""An entry that another one includes."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.overlap import shadowed_entries
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    for entry, other in shadowed_entries(subject):
        yield Violation(entry.path, f"all of it is admitted by {other.text} too", found=entry.text)


RULE = Rule(
    code="shadowed",
    title="Everything the entry admits is admitted by another",
    severity=Severity.INFO,
    rationale=("Removing the entry changes nothing, although it looks as if it did."),
    remedy="Remove the entry, or make the other narrower",
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
