"""The use cases of a catalogue: whatever changes it or asks what a change would do goes through here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from crossgate.catalogue.model import Catalogue
from crossgate.service.changes import Change, ReplaceAll, Restore
from crossgate.service.errors import BaseMoved, NotFound, ServiceError
from crossgate.service.etag import Precondition, require
from crossgate.service.loading import catalogue_of, read_objects
from crossgate.service.objects import ObjectKey
from crossgate.service.plan import Plan, check_changes, make_plan, refuse_lint_errors
from crossgate.service.ports import CatalogueStore, Proposal
from crossgate.service.snapshot import Snapshot
from crossgate.service.tokens import utc_now

if TYPE_CHECKING:
    from crossgate.lint.rule import Finding
from typing import Final

from crossgate.diagnostics import Diagnostic, Place
from crossgate.service.errors import InvalidChange

MAX_MESSAGE: Final = 2000


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """What a use case came to: the head afterwards, and what it changed on the way there."""

    head: Snapshot
    plan: Plan
    """Made on the revision before; without its access changes, which cost time that only a plan needs."""

    @property
    def changed(self) -> bool:
        """Whether there is a new revision; False if everything was so already."""
        return bool(self.plan.difference)


@dataclass(frozen=True, slots=True)
class CatalogueService:
    """Every use case over one store. Methods block on the database; call them from a thread."""

    store: CatalogueStore
    clock: Callable[[], datetime] = utc_now
    linted: bool = False
    """Whether the linter speaks, and its errors refuse changes; but for what a rollback restores."""

    def change(
        self,
        changes: Sequence[Change],
        *,
        author: str,
        message: str = "",
        preconditions: Sequence[Precondition] = (),
        base: int | None = None,
    ) -> ChangeResult:
        """Make the changes, in their order, as one revision; nothing is ever half made.

        ``base`` is the revision that the caller looked at, if nothing may have come between.

        Raises:
            BaseMoved: there is a newer revision than ``base``.
            PreconditionFailed: an object is not what the caller last saw.
            NotFound: a change names something that is not there.
            InvalidChange: the catalogue would contradict itself.
            LintErrors: the linter finds errors that the change would bring.
            StoreUnavailable: nothing can be stored at present.
            ReadOnly: the catalogue's only source is a file.

        """
        proposal = Proposal((), author, self.clock(), checked_message(message))
        return self._commit(changes, proposal, preconditions, base)

    def plan(self, changes: Sequence[Change]) -> Plan:
        """What the changes would do at present, and what the linter says of that.

        Raises:
            NotFound: a change names something that is not there.
            InvalidChange: the catalogue would contradict itself.

        """
        return make_plan(self.store.head, changes, linted=self.linted)

    def apply(self, desired: ReplaceAll, *, base: int, author: str, message: str = "") -> ChangeResult:
        """Do what was planned on revision ``base``; raises as :meth:`change` does."""
        return self.change([desired], base=base, author=author, message=message)

    def rollback(
        self, number: int, *, author: str, message: str = "", base: int | None = None
    ) -> ChangeResult:
        """Restore the state of a revision, as a new one; 0 is the empty catalogue.

        What the linter finds is in the plan, and refuses nothing: taking back always works.

        Raises:
            NotFound: there is no such revision.
            BaseMoved: there is a newer revision than ``base``, or one came between.
            InvalidChange: an object of that revision cannot be read by this version any more.
            StoreUnavailable, ReadOnly: as for :meth:`change`.

        """
        head = self.store.refresh()
        if base is not None and base != head.revision:
            raise BaseMoved(base, head.revision)
        if not 0 <= number <= head.revision:
            raise NotFound("revision", str(number))
        checked = checked_message(message)
        then = Restore(read_objects(self.store.objects_at(number, changed_since=True)))
        proposal = Proposal((), author, self.clock(), checked, rolls_back_to=number)
        return self._commit([then], proposal, (), head.revision)

    def findings(self, key: ObjectKey) -> tuple[Finding, ...]:
        """What the linter says of one object as it is now; places are as in a plan."""
        if not self.linted:
            return ()
        # Loaded late, as for a plan.
        from crossgate.service.lint_gate import lint_object

        return lint_object(self.store.head.catalogue, key)

    def export(self, number: int | None = None) -> Catalogue:
        """The catalogue at a revision, or at the newest one.

        Raises:
            NotFound: there is no such revision.
            InvalidChange: an object of that revision cannot be read by this version any more.
            StoreUnavailable: an old revision is asked for and cannot be fetched.

        """
        if number is None or number == self.store.head.revision:
            return self.store.head.catalogue
        if not 0 <= number <= self.store.refresh().revision:
            raise NotFound("revision", str(number))
        return catalogue_of(self.store.objects_at(number))

    def _commit(
        self,
        changes: Sequence[Change],
        proposal: Proposal,
        preconditions: Sequence[Precondition],
        base: int | None,
    ) -> ChangeResult:
        made: list[Plan] = []
        foreseen = self._foreseen(changes)

        def decide(head: Snapshot) -> Proposal:
            if base is not None and base != head.revision:
                raise BaseMoved(base, head.revision)
            for precondition in preconditions:
                require(head.catalogue, precondition)
            same = foreseen is not None and foreseen.base == head.revision
            plan = (
                foreseen
                if foreseen is not None and same
                else check_changes(head, changes, linted=self.linted)
            )
            refuse_lint_errors(plan)
            made.append(plan)
            return replace(proposal, difference=plan.difference)

        return ChangeResult(self.store.commit(decide), made[-1])

    def _foreseen(self, changes: Sequence[Change]) -> Plan | None:
        """What the changes come to on the newest head that is known, worked out while others can write.

        Proofs of thousands of policies take seconds, for which no other writer should wait. Whatever is
        wrong is said by the transaction: preconditions come first, and the head may be another by then.
        """
        with suppress(ServiceError):
            return check_changes(self.store.head, changes, linted=self.linted)
        return None


def checked_message(text: str) -> str:
    """The message, without blanks around it.

    Raises:
        InvalidChange: it is too long, or has control characters other than line breaks and tabs.

    """
    message = text.strip()
    if len(message) <= MAX_MESSAGE and all(sign.isprintable() or sign in "\n\t" for sign in message):
        return message
    raise InvalidChange(
        [
            Diagnostic(
                code="message-invalid",
                message=f"a message is at most {MAX_MESSAGE} printable characters",
                remedy="Write what the change is for, in plain text",
                found=repr(message[:40]),
                place=Place(("message",)),
            )
        ]
    )
