"""What changes would do, before they are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crossgate.catalogue.model import Catalogue
from crossgate.service.access import AccessChange, find_access_changes
from crossgate.service.changes import Change, Draft, Restore
from crossgate.service.consistency import find_faults
from crossgate.service.errors import InvalidChange, LintErrors
from crossgate.service.objects import Difference, ObjectChange
from crossgate.service.snapshot import Snapshot

if TYPE_CHECKING:
    from crossgate.lint.rule import Finding


@dataclass(frozen=True, slots=True)
class Plan:
    """What changes come to on top of revision ``base``; nothing if ``difference`` is empty."""

    base: int
    difference: Difference
    access: tuple[AccessChange, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What the linter says of all that the change touches; places are as for contradictions."""
    refusing: tuple[Finding, ...] = ()
    """The errors among them for which the change is refused."""

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


def apply_changes(base: Snapshot, changes: Sequence[Change]) -> tuple[Difference, Catalogue]:
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


def check_changes(base: Snapshot, changes: Sequence[Change], *, linted: bool = True) -> Plan:
    """The plan without its access changes, which cost time that only a plan needs; raises likewise."""
    difference, catalogue = apply_changes(base, changes)
    plan = Plan(base.revision, difference)
    return _with_findings(plan, base, catalogue, changes) if linted else plan


def make_plan(base: Snapshot, changes: Sequence[Change], *, linted: bool = True) -> Plan:
    """The plan for these changes; raises as :func:`apply_changes` does.

    What the linter refuses is planned all the same: it is worth seeing whole. See :attr:`Plan.refusing`.
    """
    difference, catalogue = apply_changes(base, changes)
    access = find_access_changes(base.catalogue, catalogue, difference)
    plan = Plan(base.revision, difference, tuple(access))
    return _with_findings(plan, base, catalogue, changes) if linted else plan


def refuse_lint_errors(plan: Plan) -> None:
    """See that the linter does not refuse the change.

    Raises:
        LintErrors: it does; with every finding for which.

    """
    if plan.refusing:
        raise LintErrors(plan.refusing)


def _with_findings(plan: Plan, base: Snapshot, after: Catalogue, changes: Sequence[Change]) -> Plan:
    # Loaded when something is linted: a gateway's start has no use for the linter.
    from crossgate.service.lint_gate import lint_change

    verdict = lint_change(base.catalogue, after, plan.difference)
    # The way back is open, whatever rules have come since: something worse may be in force meanwhile.
    restores = any(isinstance(change, Restore) for change in changes)
    return replace(plan, findings=verdict.findings, refusing=() if restores else verdict.refusing)
