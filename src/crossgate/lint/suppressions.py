"""Suppressions: findings that an API's owner accepts, by code and with a reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from crossgate.catalogue.model import Suppression
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.lint.rule import Finding
from crossgate.lint.rules import rule_of


@dataclass(frozen=True, slots=True)
class Note:
    """A finding about a suppression itself."""

    code: str
    title: str
    severity: Severity
    rationale: str
    remedy: str


UNUSED: Final = Note(
    "allowance-unused",
    "No finding matches the suppression",
    Severity.INFO,
    "The finding is gone, but it is still accepted. If it comes back for another reason, nobody sees it.",
    "Remove the suppression",
)
UNKNOWN: Final = Note(
    "allowance-unknown",
    "The linter has no rule with this code",
    Severity.WARNING,
    "The code is misspelled, or its rule was removed. The finding that it was meant for is not accepted.",
    "Use the code that the finding shows in brackets",
)


def apply_suppressions(
    findings: Iterable[Finding], suppressions: tuple[Suppression, ...], unjudged: Collection[str] = ()
) -> Iterator[Finding]:
    """The findings that no suppression covers, and a finding for each suppression that covers none.

    Places are relative to the API. ``unjudged`` are codes of rules that could not run for want of a fact:
    their suppressions are not reported as unused.
    """
    codes = {suppression.code for suppression in suppressions}
    used = set(unjudged)
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
        message=note.title[0].lower() + note.title[1:],
        remedy=note.remedy,
        place=Place(("lint", "allow", index, "code")),
        found=code,
        severity=note.severity,
    )
