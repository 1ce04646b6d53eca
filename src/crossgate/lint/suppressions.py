"""Findings that somebody has looked at and accepts, by code and with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from crossgate.catalogue.model import Suppression
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.lint.rule import Finding
from crossgate.lint.rules import rule_of


@dataclass(frozen=True, slots=True)
class Note:
    """What the linter says about suppressions themselves."""

    code: str
    title: str
    severity: Severity
    rationale: str
    remedy: str


UNUSED: Final = Note(
    "allowance-unused",
    "There is no finding that this accepts",
    Severity.INFO,
    "A finding that is gone stays accepted: when it comes back, for another reason, nobody sees it.",
    "Remove the suppression",
)
UNKNOWN: Final = Note(
    "allowance-unknown",
    "The linter has no rule of that code",
    Severity.WARNING,
    "The code is mistyped, or its rule is gone; whatever was meant to be accepted is not.",
    "Take the code that the finding shows in brackets",
)


def without_suppressed(
    findings: Iterable[Finding], suppressions: tuple[Suppression, ...]
) -> Iterator[Finding]:
    """The findings that no suppression covers, and suppressions that cover none.

    Findings are relative to the API; so are the places of the suppressions.
    """
    codes = {suppression.code for suppression in suppressions}
    used: set[str] = set()
    for finding in findings:
        if finding.diagnostic.code in codes:
            used.add(finding.diagnostic.code)
        else:
            yield finding
    for index, suppression in enumerate(suppressions):
        if suppression.code not in used:
            yield Finding(_idle(index, suppression.code))


def _idle(index: int, code: str) -> Diagnostic:
    note = UNUSED if rule_of(code) is not None else UNKNOWN
    return Diagnostic(
        code=note.code,
        message=note.title,
        remedy=note.remedy,
        place=Place(("lint", "allow", index, "code")),
        found=code,
        severity=note.severity,
    )
