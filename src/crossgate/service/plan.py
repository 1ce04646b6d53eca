"""Plans: what changes would do to the head, before they are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crossgate.catalogue.model import Catalogue, Settings
from crossgate.catalogue.references import check_change
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.service.access import AccessChange, find_access_changes
from crossgate.service.changes import Change, Draft, ReplaceAll, Restore
from crossgate.service.confirmation import find_confirmations
from crossgate.service.errors import InvalidChange, LintErrors
from crossgate.service.objects import Difference, ObjectChange, ObjectKey, ObjectKind, find_object
from crossgate.service.permission import EVERYTHING, Permission
from crossgate.service.replay import Replay, Replayer, TelemetryRecords
from crossgate.service.scope import EVERYWHERE
from crossgate.service.snapshot import Snapshot

if TYPE_CHECKING:
    from crossgate.lint.rule import Finding
    from crossgate.service.lint_gate import LintResult


@dataclass(frozen=True, slots=True)
class Plan:
    """The result of changes on top of revision ``base``; nothing changes if ``difference`` is empty."""

    base: int
    difference: Difference
    access: tuple[AccessChange, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Lint findings for everything that the change touches. Places are paths into a document whose APIs and
    applications are found by key: ``$.apis['petstore/1.0'].cors``."""
    refusing: tuple[Finding, ...] = ()
    """Those of the findings for which the change is refused."""
    replay: Replay | None = None
    """What it would have made of recorded requests; None if there are none, or nobody looked."""
    checks: tuple[Diagnostic, ...] = ()
    """What the gateway's machine found; its errors refuse the change, and its warnings are findings too."""
    confirmations: tuple[Diagnostic, ...] = ()
    """What must be confirmed, if the changes are those of a whole document or a rollback."""

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Why the gateway could not serve the result."""
        return tuple(one for one in self.checks if one.severity is Severity.ERROR)

    @property
    def added(self) -> tuple[ObjectChange, ...]:
        """Objects that would be created."""
        return tuple(change for change in self.difference if change.before is None)

    @property
    def modified(self) -> tuple[ObjectChange, ...]:
        """Objects that would be modified."""
        return tuple(change for change in self.difference if change.before and change.after)

    @property
    def removed(self) -> tuple[ObjectChange, ...]:
        """Objects that would be removed."""
        return tuple(change for change in self.difference if change.after is None)


def apply_changes(
    base: Snapshot, changes: Sequence[Change], permission: Permission = EVERYTHING
) -> tuple[Difference, Catalogue]:
    """The difference and the catalogue after the changes, applied in order and checked together.

    The remedies of errors name only APIs that a caller with ``permission`` can read.

    Raises:
        NotFound: a change names an object that does not exist.
        InvalidChange: the catalogue would be inconsistent; with every inconsistency.

    """
    draft = Draft(base.catalogue)
    for change in changes:
        draft.apply(change)
    difference = draft.difference
    catalogue = draft.catalogue(difference)
    apis, applications = (
        [change.key for change in difference if change.kind is kind]
        for kind in (ObjectKind.API, ObjectKind.APPLICATION)
    )
    inconsistencies = [
        *_find_out_of_scope(base.catalogue, changes),
        *check_change(base.endpoints, base.catalogue, catalogue, apis, applications, permission.covers_api),
        *_find_named_files(difference),
    ]
    if inconsistencies:
        raise InvalidChange(inconsistencies)
    return difference, catalogue


def _find_out_of_scope(base: Catalogue, changes: Sequence[Change]) -> Iterator[Diagnostic]:
    for change in changes:
        if isinstance(change, ReplaceAll):
            yield from change.scope.find_errors(base, change.onto(base), change.sections)


def _find_confirmations(
    base: Catalogue, changes: Sequence[Change], difference: Difference
) -> Iterator[Diagnostic]:
    for change in changes:
        if isinstance(change, ReplaceAll | Restore):
            scope = change.scope if isinstance(change, ReplaceAll) else EVERYWHERE
            yield from find_confirmations(base, difference, scope)


def _find_named_files(difference: Difference) -> Iterator[Diagnostic]:
    """A stored setting means the same on every control plane, at any time; the content of a file does not."""
    for change in difference:
        values = change.after.values if isinstance(change.after, Settings) else {}
        for name, value in values.items():
            if isinstance(value, str) and value.startswith("file:"):
                yield Diagnostic(
                    code="setting-names-file",
                    message="a stored setting cannot refer to a file",
                    remedy="List the values themselves",
                    found=value,
                    place=Place(("settings", name)),
                )


def require_permission(base: Catalogue, changes: Sequence[Change], permission: Permission) -> None:
    """Return if the caller may make the changes.

    It is checked before everything else, so that no other error shows an object that the caller cannot read.

    Raises:
        Forbidden: with every object that the caller cannot change.
        NotFound: a change names an object that does not exist.

    """
    if permission == EVERYTHING:
        return
    draft = Draft(base)
    for change in changes:
        draft.apply(change)
    permission.require(base, draft.objects)


def make_plan(
    base: Snapshot,
    changes: Sequence[Change],
    permission: Permission = EVERYTHING,
    *,
    linted: bool = True,
    access: bool = True,
    records: TelemetryRecords | None = None,
) -> Plan:
    """The plan for the changes, which the caller has permitted; raises as :func:`apply_changes` does.

    Lint errors do not prevent a plan, which shows them all: see :attr:`Plan.refusing`. A commit makes its
    plan without ``access``: computing access changes takes long, and nobody sees them. The plan is replayed
    on ``records``, if there are any.
    """
    difference, catalogue = apply_changes(base, changes, permission)
    confirmations = tuple(_find_confirmations(base.catalogue, changes, difference))
    plan = Plan(base.revision, difference, confirmations=confirmations)
    if access:
        plan = replace(plan, access=tuple(find_access_changes(base.catalogue, catalogue, difference)))
    if records:
        found = Replay()
        if difference:
            found = Replayer(base.catalogue).replay(catalogue, records.groups, records.allowed)
        plan = replace(plan, replay=found)
    return _with_findings(plan, base, catalogue, changes) if linted else plan


def add_checks(plan: Plan, found: Sequence[Diagnostic]) -> Plan:
    """The plan with what a :class:`~crossgate.service.ports.ChangeCheck` found."""
    if not found:
        return plan
    # Loaded late: no start needs the linter.
    from crossgate.lint.rule import Finding

    warnings = tuple(Finding(one) for one in found if one.severity is not Severity.ERROR)
    return replace(plan, findings=plan.findings + warnings, checks=tuple(found))


def lint_object(catalogue: Catalogue, key: ObjectKey) -> tuple[Finding, ...]:
    """The lint findings for one object as it is; none if it does not exist."""
    found = find_object(catalogue, key)
    difference = (ObjectChange(*key, found, found),)
    return _lint(catalogue, catalogue, difference).findings


def refuse_errors(plan: Plan) -> None:
    """Raise if the plan has errors or refusing findings.

    Raises:
        InvalidChange: with all errors.
        LintErrors: with all refusing findings.

    """
    if plan.errors:
        raise InvalidChange(plan.errors)
    if plan.refusing:
        raise LintErrors(plan.refusing)


def _with_findings(plan: Plan, base: Snapshot, after: Catalogue, changes: Sequence[Change]) -> Plan:
    result = _lint(base.catalogue, after, plan.difference)
    # A rollback is never refused, whatever rules are new since: what is in force may be worse.
    restores = any(isinstance(change, Restore) for change in changes)
    return replace(plan, findings=result.findings, refusing=() if restores else result.refusing)


def _lint(base: Catalogue, after: Catalogue, difference: Difference) -> LintResult:
    # Loaded late: no start needs the linter.
    from crossgate.service.lint_gate import lint_change

    return lint_change(base, after, difference)
