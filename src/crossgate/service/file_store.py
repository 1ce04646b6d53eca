"""A catalogue whose only source is a file: the store of a gateway that keeps nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NoReturn

from crossgate.catalogue.model import Catalogue
from crossgate.service.errors import ReadOnly
from crossgate.service.ports import NodeRollout, Proposal, RecordedObject, RecordedRevision, Revision, Watcher
from crossgate.service.snapshot import Snapshot
from crossgate.service.watchers import Watchers


class FileStore:
    """Refuses every write, has no history, and counts as revisions the times that the file was read."""

    def __init__(self, source: str, catalogue: Catalogue) -> None:
        self._source = source
        self._head = Snapshot.of(1, catalogue)
        self._watchers = Watchers()

    @property
    def head(self) -> Snapshot:
        """What the file declared when it was last read without an error."""
        return self._head

    def replace(self, catalogue: Catalogue) -> Snapshot:
        """The file declares this now."""
        self._head = Snapshot.of(self._head.revision + 1, catalogue)
        self._watchers.tell(self._head)
        return self._head

    def commit(self, decide: Callable[[Snapshot], Proposal]) -> NoReturn:
        """Refuse; the caller's own mistakes are not looked for."""
        del decide
        self.require_writable()

    def require_writable(self) -> NoReturn:
        """Refuse."""
        raise ReadOnly(self._source)

    def refresh(self) -> Snapshot:
        """The head; whoever watches the file calls :meth:`replace`."""
        return self._head

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call ``watcher`` with each new head."""
        return self._watchers.add(watcher)

    def watch_pending(self, watcher: Watcher) -> Callable[[], None]:
        """Nothing is ever about to be stored."""
        del watcher
        return lambda: None

    def revisions(self, *, before: int | None = None, limit: int = 50) -> Sequence[Revision]:
        """None: a file has no history here."""
        del before, limit
        return ()

    def revision(self, number: int) -> RecordedRevision | None:
        """None: a file has no history here."""
        del number
        return None

    def objects_at(self, number: int, *, changed_since: bool = False) -> Sequence[RecordedObject]:
        """Refuse: a file has no history here."""
        del number, changed_since
        raise ReadOnly(self._source)

    def record_rollouts(self, outcomes: Mapping[int, Iterable[NodeRollout]]) -> None:
        """Nothing is kept."""
        del outcomes
