"""Findings that somebody has looked at and accepts, by code and with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from crossgate.catalogue.model import Allowance
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.lint.rule import Finding
from crossgate.lint.rules import rule_of


@dataclass(frozen=True, slots=True)
class Note:
    """What the linter says about allowances themselves."""

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
    "Remove the allowance",
)
UNKNOWN: Final = Note(
    "allowance-unknown",
    "The linter has no rule of that code",
    Severity.WARNING,
    "The code is mistyped, or its rule is gone; whatever was meant to be accepted is not.",
    "Take the code that the finding shows in brackets",
)


def without_allowed(findings: Iterable[Finding], allowances: tuple[Allowance, ...]) -> Iterator[Finding]:
    """The findings that no allowance covers, and allowances that cover none.

    Findings are relative to the API; so are the places of the allowances.
    """
    codes = {allowance.code for allowance in allowances}
    used: set[str] = set()
    for finding in findings:
        if finding.diagnostic.code in codes:
            used.add(finding.diagnostic.code)
        else:
            yield finding
    for index, allowance in enumerate(allowances):
        if allowance.code not in used:
            yield Finding(_idle(index, allowance.code))


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
