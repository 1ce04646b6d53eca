"""What changes would do, before they are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crossgate.catalogue.model import Catalogue
from crossgate.diagnostics import Diagnostic
from crossgate.service.access import AccessChange, find_access_changes
from crossgate.service.change import Change
from crossgate.service.consistency import find_faults
from crossgate.service.draft import Draft
from crossgate.service.linting import find_unsafe, refuse_unsafe
from crossgate.service.objects import Difference, ObjectChange
from crossgate.service.refusal import InvalidChange
from crossgate.service.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Plan:
    """What changes come to on top of revision ``base``; nothing if ``difference`` is empty."""

    base: int
    difference: Difference
    access: tuple[AccessChange, ...]
    findings: tuple[Diagnostic, ...] = ()
    """What the linter says of what would change, where it is asked."""

    @property
    def added(self) -> tuple[ObjectChange, ...]:
        """Objects that would be new."""
        return tuple(change for change in self.difference if change.before is None)

    @property
    def changed(self) -> tuple[ObjectChange, ...]:
        """Objects that would be another afterwards."""
        return tuple(change for change in self.difference if change.before and change.after)

    @property
    def removed(self) -> tuple[ObjectChange, ...]:
        """Objects that would be gone."""
        return tuple(change for change in self.difference if change.after is None)


def work_out(base: Snapshot, changes: Sequence[Change]) -> tuple[Difference, Catalogue]:
    """What the changes come to, made in their order and judged together.

    Raises:
        NotFound: a change names something that is not there.
        InvalidChange: the catalogue would contradict itself; with every contradiction.

    """
    draft = Draft(base.catalogue)
    for change in changes:
        draft.make(change)
    difference = draft.difference
    catalogue = draft.catalogue(difference)
    faults = find_faults(base, catalogue, difference)
    if faults:
        raise InvalidChange(faults)
    return difference, catalogue


def make_plan(base: Snapshot, changes: Sequence[Change], *, linted: bool = False) -> Plan:
    """The plan for these changes; raises as :func:`work_out` does, and if ``linted`` for what is unsafe."""
    difference, catalogue = work_out(base, changes)
    if linted:
        refuse_unsafe(base.catalogue, catalogue, difference)
    access = find_access_changes(base.catalogue, catalogue, difference)
    findings = find_unsafe(catalogue, difference) if linted else ()
    return Plan(base.revision, difference, tuple(access), tuple(findings))
