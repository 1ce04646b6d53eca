"""What the use cases need of a store; SQLite, PostgreSQL and a plain file each provide it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from crossgate.service.objects import Difference, Kind
from crossgate.service.snapshot import Snapshot

JsonObject = Mapping[str, object]
"""An object in its written form, JSON-ready: history is shown as it was, readable today or not."""


class RolloutState(StrEnum):
    """What a node made of a revision."""

    PENDING = "pending"
    APPLIED = "applied"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class NodeRollout:
    """What one node made of one revision; ``detail`` is the node's message if it rejected it."""

    node: str
    state: RolloutState
    at: datetime
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """One change, whole. Numbers begin at 1, without gaps; revision 0 is the empty catalogue."""

    number: int
    author: str
    at: datetime
    """UTC."""
    message: str
    objects: int
    """How many objects it changed."""
    rolls_back_to: int | None = None
    """The revision whose state it restored."""
    nodes: tuple[NodeRollout, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """One object before and after a revision, in its written form; None where there was none."""

    kind: Kind
    key: str
    before: JsonObject | None
    after: JsonObject | None


@dataclass(frozen=True, slots=True)
class RecordedRevision:
    """A revision with its difference, sorted by kind and key."""

    revision: Revision
    difference: tuple[RecordedChange, ...]


Watcher = Callable[[Snapshot], None]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to store as one revision; nothing is stored if the difference is empty."""

    difference: Difference
    author: str
    at: datetime
    message: str = ""
    rolls_back_to: int | None = None


@dataclass(frozen=True, slots=True)
class RecordedObject:
    """An object as it was at some revision, in its written form; None if there was none."""

    kind: Kind
    key: str
    written: JsonObject | None


class CatalogueStore(Protocol):
    """Keeps every revision of a catalogue, and the newest one in memory.

    Safe to use from several threads. Methods that must reach the database raise
    :class:`~crossgate.service.errors.StoreUnavailable` when they cannot.
    """

    @property
    def head(self) -> Snapshot:
        """The newest revision known here, from memory; never waits."""
        ...

    def commit(self, decide: Callable[[Snapshot], Proposal]) -> Snapshot:
        """Store what ``decide`` makes of the newest revision, and return the head afterwards.

        No other writer comes between the two, on any control plane. Whatever ``decide`` raises, nothing is
        stored. Once this returned, the revision is on disk, whole.
        """
        ...

    def require_writable(self) -> None:
        """Return if there are writes that can succeed at all.

        Raises:
            ReadOnly: there are none.

        """
        ...

    def refresh(self) -> Snapshot:
        """Take over what other control planes stored, and return the head."""
        ...

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call ``watcher`` with each new head, in order, until the returned function is called.

        It is called from the thread that learnt of the revision, so it must be quick. Revisions that arrive
        together are told of once, by the last.
        """
        ...

    def watch_pending(self, watcher: Watcher) -> Callable[[], None]:
        """Call ``watcher`` with each head that is about to be stored, and may still come to nothing.

        For work that can be done while the disk writes; what it leads to must wait for :meth:`watch`.
        """
        ...

    def revisions(self, *, before: int | None = None, limit: int = 50) -> Sequence[Revision]:
        """Revisions older than ``before``, the newest first."""
        ...

    def revision(self, number: int) -> RecordedRevision | None:
        """One revision with its difference."""
        ...

    def objects_at(self, number: int, *, changed_since: bool = False) -> Sequence[RecordedObject]:
        """Every object as it was at a revision; with ``changed_since`` only those that differ from the head.

        Objects that were not there then are left out, unless with ``changed_since``.
        """
        ...

    def record_rollouts(self, outcomes: Mapping[int, Iterable[NodeRollout]]) -> None:
        """Note what nodes made of each revision; a later outcome of a node replaces its earlier one."""
        ...


@dataclass(frozen=True, slots=True)
class NodeRejection:
    """What a node refused, and goes on without."""

    kind: str
    resource: str
    version: str | None
    message: str
    at: datetime
    apis: tuple[str, ...]
    """Keys of the APIs that the resource is made for; none if it is the whole gateway's."""


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What one connected node runs, by its own word."""

    node: str
    connected_at: datetime
    acknowledged_at: datetime | None
    revision: int | None
    """The newest revision of which it runs, or refused, every part."""
    resources: int
    pending: int
    rejections: tuple[NodeRejection, ...]
