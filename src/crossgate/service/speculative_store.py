"""A store in memory for one request: it carries out a change that reaches nobody, or shows one revision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from crossgate.service.errors import NotFound
from crossgate.service.ports import (
    NodeRollout,
    Proposal,
    RecordedHistory,
    RecordedObject,
    RecordedRevision,
    Revision,
    RevisionQuery,
)
from crossgate.service.snapshot import Snapshot


class SpeculativeStore:
    """A :class:`~crossgate.service.ports.CatalogueStore` whose commits reach nobody.

    The caller takes the proposal, and commits it to the real store if its head is still the same.
    """

    def __init__(self) -> None:
        self.head = Snapshot()
        self.proposal: Proposal | None = None
        """The last one that changes something."""
        self.recorded: RecordedRevision | Sequence[RecordedObject] | RecordedHistory | None = None
        """What the real store has recorded, as far as the request reads it."""

    def commit(self, decide: Callable[[Snapshot], Proposal]) -> Snapshot:
        """Keep the proposal; the head that this returns is the one that committing it would give."""
        proposal = decide(self.head)
        if proposal.difference:
            self.proposal = proposal
            objects = {(one.kind, one.key): one.after for one in proposal.difference}
            self.head = self.head.advance(self.head.revision + 1, objects)
        return self.head

    def require_writable(self) -> None:
        """Return: the real store was checked before."""

    def refresh(self) -> Snapshot:
        """The head."""
        return self.head

    def revisions(
        self, *, before: int | None = None, limit: int = 50, query: RevisionQuery | None = None
    ) -> Sequence[Revision]:
        """The recorded ones."""
        del before, limit, query
        return self.recorded.later if isinstance(self.recorded, RecordedHistory) else ()

    def revision(self, number: int, *, limit: int | None = None) -> RecordedRevision | None:
        """The recorded revision."""
        del number, limit
        match self.recorded:
            case RecordedRevision() as found:
                return found
            case RecordedHistory(revision=found):
                return found
            case _:
                return None

    def objects_at(self, number: int, *, changed_since: bool = False) -> Sequence[RecordedObject]:
        """The recorded objects."""
        match self.recorded:
            case RecordedHistory(changed_since=found) if changed_since:
                return found
            case None | RecordedRevision() | RecordedHistory():
                raise NotFound("revision", str(number))
            case found:
                return found

    def record_rollouts(self, rollouts: Mapping[int, Iterable[NodeRollout]]) -> None:
        """Do nothing: nodes belong to the real store."""
        del rollouts
