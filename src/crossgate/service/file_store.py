"""The catalogue of a gateway that runs a file: read-only, without history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NoReturn

from crossgate.catalogue.model import Catalogue
from crossgate.diagnostics import Place
from crossgate.service.errors import ReadOnly
from crossgate.service.ports import (
    NodeRollout,
    Proposal,
    RecordedObject,
    RecordedRevision,
    Revision,
    RevisionQuery,
)
from crossgate.service.snapshot import Snapshot

Locate = Callable[[Place], Place]


class FileStore:
    """A :class:`~crossgate.service.ports.CatalogueStore` that refuses writes.

    Its revision number is the number of times that the file was read without an error.
    """

    def __init__(self, source: str, catalogue: Catalogue, locate: Locate | None = None) -> None:
        self.source = source
        """Path of the file."""
        self.locate = locate
        """Finds the file and line of a path into the document as it was last read."""
        self._head = Snapshot.of(1, catalogue)

    @property
    def head(self) -> Snapshot:
        """The catalogue of the file when it was last read without an error."""
        return self._head

    def replace(self, catalogue: Catalogue, locate: Locate | None = None) -> Snapshot:
        """Set the catalogue of the changed file; returns the new head."""
        self.locate = locate
        self._head = Snapshot.of(self._head.revision + 1, catalogue)
        return self._head

    def commit(self, decide: Callable[[Snapshot], Proposal]) -> NoReturn:
        """Refuse, without calling ``decide``."""
        del decide
        self.require_writable()

    def require_writable(self) -> NoReturn:
        """Refuse."""
        raise ReadOnly(self.source)

    def refresh(self) -> Snapshot:
        """The head: the file watch calls :meth:`replace`."""
        return self._head

    def revisions(
        self, *, before: int | None = None, limit: int = 50, query: RevisionQuery | None = None
    ) -> Sequence[Revision]:
        """None: a file has no history."""
        del before, limit, query
        return ()

    def revision(self, number: int, *, limit: int | None = None) -> RecordedRevision | None:
        """None: a file has no history."""
        del number, limit
        return None

    def objects_at(self, number: int, *, changed_since: bool = False) -> Sequence[RecordedObject]:
        """Refuse: a file has no history."""
        del number, changed_since
        raise ReadOnly(self.source)

    def record_rollouts(self, rollouts: Mapping[int, Iterable[NodeRollout]]) -> None:
        """Do nothing: a file has no history."""
        del rollouts
