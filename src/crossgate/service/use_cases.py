"""The use cases of a catalogue: whatever changes it or asks what a change would do goes through here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from crossgate.catalogue.model import Catalogue
from crossgate.service.change import Change, ReplaceAll, Restore
from crossgate.service.linting import refuse_unsafe
from crossgate.service.message import checked_message
from crossgate.service.plan import Plan, make_plan, work_out
from crossgate.service.ports import CatalogueStore, Proposal
from crossgate.service.reading import catalogue_of, read_objects
from crossgate.service.refusal import BaseMoved, NotFound
from crossgate.service.snapshot import Snapshot
from crossgate.service.tag import Precondition, require
from crossgate.service.tokens import utc_now


@dataclass(frozen=True, slots=True)
class Done:
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
    """Whether changes that the linter calls errors are refused, but for what a rollback restores."""

    def change(
        self,
        changes: Sequence[Change],
        *,
        author: str,
        message: str = "",
        preconditions: Sequence[Precondition] = (),
        base: int | None = None,
    ) -> Done:
        """Make the changes, in their order, as one revision; nothing is ever half made.

        ``base`` is the revision that the caller looked at, if nothing may have come between.

        Raises:
            BaseMoved: there is a newer revision than ``base``.
            PreconditionFailed: an object is not what the caller last saw.
            NotFound: a change names something that is not there.
            InvalidChange: the catalogue would contradict itself.
            StoreUnavailable: nothing can be stored at present.
            ReadOnly: the catalogue's only source is a file.

        """
        proposal = Proposal((), author, self.clock(), checked_message(message))
        return self._commit(changes, proposal, preconditions, base)

    def plan(self, changes: Sequence[Change]) -> Plan:
        """What the changes would do at present.

        Raises:
            NotFound: a change names something that is not there.
            InvalidChange: the catalogue would contradict itself.

        """
        return make_plan(self.store.head, changes, linted=self.linted)

    def apply(self, desired: ReplaceAll, *, base: int, author: str, message: str = "") -> Done:
        """Do what was planned on revision ``base``; raises as :meth:`change` does."""
        return self.change([desired], base=base, author=author, message=message)

    def rollback(self, number: int, *, author: str, message: str = "", base: int | None = None) -> Done:
        """Restore the state of a revision, as a new one; 0 is the empty catalogue.

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
    ) -> Done:
        made: list[Plan] = []

        def decide(head: Snapshot) -> Proposal:
            if base is not None and base != head.revision:
                raise BaseMoved(base, head.revision)
            for precondition in preconditions:
                require(head.catalogue, precondition)
            difference, catalogue = work_out(head, changes)
            if self.linted and proposal.rolls_back_to is None:
                refuse_unsafe(head.catalogue, catalogue, difference)
            made.append(Plan(head.revision, difference, ()))
            return replace(proposal, difference=difference)

        return Done(self.store.commit(decide), made[-1])
