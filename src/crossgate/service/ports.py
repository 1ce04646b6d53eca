"""What the use cases need of a store; SQLite, PostgreSQL and a plain file each provide it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from crossgate.service.objects import Difference, Kind
from crossgate.service.revision import Loose, NodeOutcome, RecordedRevision, Revision
from crossgate.service.snapshot import Snapshot
from crossgate.service.token import Token

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
    written: Loose | None


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

    def foresee(self, watcher: Watcher) -> Callable[[], None]:
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

    def record_outcomes(self, outcomes: Mapping[int, Iterable[NodeOutcome]]) -> None:
        """Note what nodes made of each revision; a later outcome of a node replaces its earlier one."""
        ...


class TokenStore(Protocol):
    """Keeps tokens by the hash of their secret; raises as :class:`CatalogueStore` does."""

    def add_token(self, token: Token, digest: str) -> None:
        """Keep a new token.

        Raises:
            Refusal: there is a token of this name that still works.

        """
        ...

    def tokens(self) -> Sequence[Token]:
        """Every token, revoked and expired ones too, oldest first."""
        ...

    def find_token(self, digest: str) -> Token | None:
        """The token with that hash; from memory while the database cannot be reached."""
        ...

    def revoke_token(self, name: str, at: datetime) -> Token | None:
        """Revoke the working token of that name; None if there is none."""
        ...

    def touch_token(self, digest: str, at: datetime) -> None:
        """Note that the token was used; nothing happens if the database cannot be reached."""
        ...
