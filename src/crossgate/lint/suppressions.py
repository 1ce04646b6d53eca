"""Suppressions: findings that an object's owner accepts, by code and entry, with a reason.

A finding that shows an entry (``found``) is accepted for this entry. Earlier versions had no entries in
suppressions: one without covers every entry, and is reported. A change is stricter: there it covers only what
the object allowed before, so that nothing new is accepted unseen.
"""

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
UNBOUND: Final = Note(
    "allowance-unbound",
    "The suppression covers every entry",
    Severity.WARNING,
    "Without an entry, the suppression also covers entries that somebody adds later, and nobody sees these "
    "findings. Earlier versions had no entries. A write is refused if such a suppression is the only one "
    "that covers a new error.",
    "Add the entry that each finding shows, one suppression for each",
)

NOTES: Final = {one.code: one for one in (UNUSED, UNKNOWN, UNBOUND)}
"""By code."""

Covered = tuple[str, str | None]
"""What a suppression accepts: a code, and the entry that the finding shows, if it shows one."""


def covered_by(finding: Finding) -> Covered:
    """What a suppression must contain to accept the finding."""
    return finding.diagnostic.code, finding.diagnostic.found


def is_suppressed(
    finding: Finding, suppressions: Iterable[Suppression], earlier: Collection[Covered] | None = None
) -> bool:
    """Whether one of the suppressions covers the finding.

    In a change, ``earlier`` are the findings before it: a suppression without an entry covers only these.
    """
    code, entry = covered = covered_by(finding)
    return any(
        one.code == code
        and (one.entry == entry or (one.entry is None and (earlier is None or covered in earlier)))
        for one in suppressions
    )


def apply_suppressions(
    findings: Collection[Finding],
    suppressions: tuple[Suppression, ...],
    unjudged: Collection[str] = (),
    earlier: Collection[Covered] | None = None,
) -> Iterator[Finding]:
    """The findings that no suppression covers, and notes about suppressions that cover none, or too much.

    Places are relative to the object. ``unjudged`` are codes of rules that could not run for want of a fact:
    their suppressions are not reported as unused. ``earlier`` is that of :func:`is_suppressed`.
    """
    if not suppressions:
        yield from findings
        return
    yield from (one for one in findings if not is_suppressed(one, suppressions, earlier))
    shown: dict[str, dict[str | None, None]] = {}
    for code, entry in map(covered_by, findings):
        shown.setdefault(code, {})[entry] = None
    for index, suppression in enumerate(suppressions):
        entries = shown.get(suppression.code, {})
        if suppression.entry not in entries and (suppression.entry is not None or not entries):
            if suppression.code not in unjudged:
                yield _note(UNUSED if rule_of(suppression.code) is not None else UNKNOWN, index, suppression)
        elif suppression.entry is None and None not in entries:
            yield _note(UNBOUND, index, suppression, _binding(tuple(filter(None, entries))))


def _binding(entries: tuple[str, ...]) -> str:
    if len(entries) == 1:
        return f"Add to it the entry {entries[0]}"
    return f"Write one suppression for each entry: {', '.join(entries)}"


def _note(note: Note, index: int, suppression: Suppression, remedy: str = "") -> Finding:
    return Finding(
        Diagnostic(
            code=note.code,
            message=note.title[0].lower() + note.title[1:],
            remedy=remedy or note.remedy,
            place=Place(("lint", "allow", index, "code")),
            found=suppression.code,
            severity=note.severity,
        )
    )
