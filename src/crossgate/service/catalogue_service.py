"""The use cases of a catalogue: change, plan, roll back, export. Every change goes through here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from crossgate.catalogue.model import Catalogue
from crossgate.diagnostics import Diagnostic, Place
from crossgate.service.changes import Change, Restore
from crossgate.service.errors import (
    BaseMoved,
    Forbidden,
    InvalidChange,
    NotFound,
    ServiceError,
    Unconfirmed,
)
from crossgate.service.etag import Precondition, require
from crossgate.service.loading import load_catalogue, parse_objects
from crossgate.service.objects import GATEWAY_KEY, SETTINGS_KEY, Difference, ObjectKey
from crossgate.service.permission import EVERYTHING, Permission, Role
from crossgate.service.plan import (
    Plan,
    add_checks,
    lint_object,
    make_plan,
    refuse_errors,
    require_permission,
)
from crossgate.service.ports import CatalogueStore, ChangeCheck, Proposal, RecordedObject, utc_now
from crossgate.service.replay import TelemetryRecords
from crossgate.service.snapshot import Snapshot

if TYPE_CHECKING:
    from crossgate.lint.rule import Finding

MAX_MESSAGE: Final = 2000


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """The head after a change, and the plan that was carried out."""

    head: Snapshot
    plan: Plan
    """The plan on the revision before, without access changes: only a plan on its own computes these."""

    @property
    def changed(self) -> bool:
        """Whether there is a new revision; False if the catalogue matched already."""
        return bool(self.plan.difference)


@dataclass(frozen=True, slots=True)
class CatalogueService:
    """Every use case over one store. Methods block on the database; call them from a thread."""

    store: CatalogueStore
    clock: Callable[[], datetime] = utc_now
    linted: bool = False
    """Whether changes are linted, and refused for lint errors. A rollback is linted, but never refused."""
    check: ChangeCheck | None = None
    """Finds what the gateway's machine could not serve; such a change is refused, a rollback too."""

    def change(
        self,
        changes: Sequence[Change],
        *,
        author: str,
        message: str = "",
        preconditions: Sequence[Precondition] = (),
        base: int | None = None,
        permission: Permission = EVERYTHING,
        confirmed: bool = False,
    ) -> ChangeResult:
        """Apply the changes in order, as one revision: all of them, or none.

        With ``base``, the change is refused if the head is another revision than the caller saw. Unless it is
        ``confirmed``, it is refused too if it does what is rarely meant: :attr:`Plan.confirmations`.

        Raises:
            Forbidden: ``permission`` does not include the changes.
            BaseMoved: the head is newer than ``base``.
            PreconditionFailed: an object has changed since the caller read it.
            NotFound: a change names an object that does not exist.
            InvalidChange: the catalogue would be inconsistent, or the gateway could not serve it.
            LintErrors: the change adds lint errors.
            Unconfirmed: it must be confirmed, and was not.
            StoreUnavailable: the database fails.
            ReadOnly: the catalogue comes from a file.

        """
        proposal = Proposal((), author, self.clock(), check_text(message))
        return self._commit(changes, proposal, preconditions, base, permission, confirmed=confirmed)

    def plan(
        self,
        changes: Sequence[Change],
        permission: Permission = EVERYTHING,
        records: TelemetryRecords | None = None,
    ) -> Plan:
        """What the changes would do to the current head, and to what is recorded, with the lint findings.

        Raises:
            Forbidden: ``permission`` does not include the changes.
            NotFound: a change names an object that does not exist.
            InvalidChange: the catalogue would be inconsistent, or the gateway could not serve it.

        """
        head = self.store.head
        # Planning changes nothing, so that any role can. But a plan for the whole gateway shows every API.
        planner = permission if permission.limited else replace(permission, role=Role.ADMIN)
        require_permission(head.catalogue, changes, planner)
        plan = make_plan(head, changes, permission, linted=self.linted, records=records)
        # Files and ports of the machine are shown only to those who could make the change.
        if permission.role is not Role.VIEWER:
            with suppress(Forbidden):
                require_permission(head.catalogue, changes, permission)
                plan = self._checked(head, plan)
        if plan.errors:
            raise InvalidChange(plan.errors)
        return plan

    def rollback(
        self,
        number: int,
        *,
        author: str,
        message: str = "",
        base: int | None = None,
        permission: Permission = EVERYTHING,
        confirmed: bool = False,
    ) -> ChangeResult:
        """Restore the state of a revision, as a new revision; 0 is the empty catalogue.

        The plan shows lint findings, and none of them refuses the rollback: undoing a change must always
        work. What the gateway could not serve is refused.

        Raises:
            Forbidden: ``permission`` does not include what would be restored.
            NotFound: the revision does not exist.
            BaseMoved: the head is newer than ``base``, or moved during the call.
            InvalidChange: this version cannot parse an object of that revision, or the gateway could not
                serve it.
            Unconfirmed, StoreUnavailable, ReadOnly: as for :meth:`change`.

        """
        head = self.store.refresh()
        if base is not None and base != head.revision:
            raise BaseMoved(base, head.revision)
        if not 0 <= number <= head.revision:
            raise NotFound("revision", str(number))
        proposal = Proposal((), author, self.clock(), check_text(message), rolls_back_to=number)
        restore = Restore(parse_objects(self.store.objects_at(number, changed_since=True)))
        return self._commit([restore], proposal, (), head.revision, permission, confirmed=confirmed)

    def plan_rollback(
        self, number: int, permission: Permission = EVERYTHING, records: TelemetryRecords | None = None
    ) -> Plan:
        """What :meth:`rollback` would do; raises as it does, and changes nothing."""
        if not 0 <= number <= self.store.head.revision:
            raise NotFound("revision", str(number))
        restore = Restore(parse_objects(self.store.objects_at(number, changed_since=True)))
        return self.plan([restore], permission, records)

    def find_checks(self, difference: Difference) -> tuple[Diagnostic, ...]:
        """What the check of the machine finds in a change that another process planned."""
        if self.check is None or not difference:
            return ()
        return tuple(self.check.find(self.store.head.catalogue, difference))

    def commit_prepared(self, proposal: Proposal, base: int, permission: Permission) -> Snapshot:
        """Commit a change that another process planned and checked, on revision ``base``.

        Raises:
            Forbidden: ``permission`` does not include the change.
            BaseMoved: the head is another revision now: plan the change again.
            StoreUnavailable, ReadOnly: as for :meth:`change`.

        """

        def decide(head: Snapshot) -> Proposal:
            if head.revision != base:
                raise BaseMoved(base, head.revision)
            changed = {(one.kind, one.key): one.after for one in proposal.difference}
            permission.require(head.catalogue, changed)
            return proposal

        return self.store.commit(decide)

    def findings(self, key: ObjectKey) -> tuple[Finding, ...]:
        """The lint findings for one object of the head; places are as in a plan."""
        return lint_object(self.store.head.catalogue, key) if self.linted else ()

    def export(self, number: int | None = None) -> Catalogue:
        """The catalogue at a revision; without ``number``, at the head.

        Raises:
            NotFound: the revision does not exist.
            InvalidChange: this version cannot parse an object of that revision.
            StoreUnavailable: the database fails, and the revision is not the head.

        """
        if number is None or number == self.store.head.revision:
            return self.store.head.catalogue
        return load_catalogue(self.objects_at(number))

    def objects_at(self, number: int) -> Sequence[RecordedObject]:
        """Every object that existed at a revision, as it was recorded; raises as :meth:`export` does."""
        if not 0 <= number <= self.store.refresh().revision:
            raise NotFound("revision", str(number))
        return self.store.objects_at(number)

    def _commit(
        self,
        changes: Sequence[Change],
        proposal: Proposal,
        preconditions: Sequence[Precondition],
        base: int | None,
        permission: Permission,
        *,
        confirmed: bool,
    ) -> ChangeResult:
        self.store.require_writable()
        made: list[Plan] = []
        known = self.store.head
        prepared = self._plan_ahead(known, changes, preconditions, permission)

        def decide(head: Snapshot) -> Proposal:
            if base is not None and base != head.revision:
                raise BaseMoved(base, head.revision)
            require_permission(head.catalogue, changes, permission)
            for precondition in preconditions:
                require(head.catalogue, precondition)
            if prepared is not None and prepared.base == head.revision:
                plan = prepared
            else:
                plan = make_plan(head, changes, permission, linted=self.linted, access=False)
                plan = self._checked_again(known, prepared, head, plan)
            refuse_errors(plan)
            if plan.confirmations and not confirmed:
                raise Unconfirmed(plan.confirmations)
            made.append(plan)
            return replace(proposal, difference=plan.difference)

        return ChangeResult(self.store.commit(decide), made[-1])

    def _plan_ahead(
        self,
        head: Snapshot,
        changes: Sequence[Change],
        preconditions: Sequence[Precondition],
        permission: Permission,
    ) -> Plan | None:
        """The plan on the known head, made before the transaction begins; None if the changes are invalid.

        Proofs for thousands of policies take seconds; inside the transaction every other writer would wait
        for them. Errors are left to the transaction: it checks preconditions first, and may see another head.
        """
        with suppress(ServiceError):
            require_permission(head.catalogue, changes, permission)
            for precondition in preconditions:
                # These objects are small, and the check of their change takes long.
                if precondition.target in (GATEWAY_KEY, SETTINGS_KEY):
                    require(head.catalogue, precondition)
            plan = make_plan(head, changes, permission, linted=self.linted, access=False)
            return self._checked(head, plan)
        return None

    def _checked(self, head: Snapshot, plan: Plan) -> Plan:
        """The plan with what the check of the machine finds."""
        if self.check is None or not plan.difference:
            return plan
        return add_checks(plan, self.check.find(head.catalogue, plan.difference))

    def _checked_again(self, known: Snapshot, prepared: Plan | None, head: Snapshot, plan: Plan) -> Plan:
        """The plan on a head that is newer than the ``known`` one, checked.

        If the same objects change in the same way below the same settings, the check has been made.
        """
        if (
            prepared is not None
            and prepared.difference == plan.difference
            and known.catalogue.gateway == head.catalogue.gateway
            and known.catalogue.settings == head.catalogue.settings
        ):
            return add_checks(plan, prepared.checks)
        return self._checked(head, plan)


def check_text(raw: str, name: str = "message") -> str:
    """A message or note as it is stored: without outer white space.

    Raises:
        InvalidChange: it is too long, or contains control characters.

    """
    text = raw.strip()
    if len(text) <= MAX_MESSAGE and all(sign.isprintable() or sign in "\n\t" for sign in text):
        return text
    raise InvalidChange(
        [
            Diagnostic(
                code=f"{name}-invalid",
                message=f"the {name} is too long or contains control characters",
                remedy=f"Write at most {MAX_MESSAGE} printable characters",
                found=repr(text[:40]),
                place=Place((name,)),
            )
        ]
    )
