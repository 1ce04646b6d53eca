"""Waits until the connected nodes have decided on a revision.

A node has decided on a version when it applied it, rejected it, or did either with a newer one. A removal is
also decided while the node rejects a resource that the removal has to wait for: the last good version of that
resource may still need what is to be removed, so the removal is sent after the next good version.

Event driven: an acknowledgement costs the number of its resources, and while anything is rejected, the number
of awaited removals.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crossgate.compiler.resource import ResourceKey
from crossgate.xds.ledger import Connection, Ledger, LedgerChange, Rejection
from crossgate.xds.resource_types import REMOVED_AFTER


@dataclass(frozen=True, slots=True)
class RolloutResult:
    """What the nodes decided on a revision."""

    nodes: tuple[str, ...]
    rejections: tuple[Rejection, ...]

    @property
    def applied(self) -> bool:
        """Whether no node rejected any of it."""
        return not self.rejections


async def wait_until_decided(
    ledger: Ledger,
    versions: Mapping[ResourceKey, str | None] | None = None,
    *,
    nodes: int = 1,
    on_decided: Callable[[Connection], None] | None = None,
) -> RolloutResult:
    """Wait until at least ``nodes`` nodes are connected and all of them decided on ``versions``.

    A version of None is a removal. None instead of ``versions`` stands for everything that is wanted at the
    time of the call, and for the removal of what nodes have beyond that. There is no time limit: use
    `asyncio.timeout`.

    ``on_decided`` is called with each connection that has something to decide at the time of the call, as
    soon as it has decided on all of it.
    """
    waiting = _Waiting(ledger, _all_versions(ledger) if versions is None else versions, nodes, on_decided)
    stop = ledger.watch(waiting.ledger_changed)
    try:
        waiting.check()
        await waiting.done.wait()
    finally:
        stop()
    return waiting.result()


def _all_versions(ledger: Ledger) -> dict[ResourceKey, str | None]:
    held: dict[ResourceKey, str | None] = {
        key: None for session in ledger.sessions for key in session.applied
    }
    return held | ledger.cache.versions()


class _Waiting:
    """The keys that each session has yet to decide on."""

    def __init__(
        self,
        ledger: Ledger,
        versions: Mapping[ResourceKey, str | None],
        nodes: int,
        on_decided: Callable[[Connection], None] | None,
    ) -> None:
        self.done = asyncio.Event()
        self._ledger = ledger
        self._versions = versions
        self._nodes = nodes
        self._undecided = {session: self._all_undecided(session) for session in ledger.sessions}
        self._on_decided = on_decided
        self._deciding = {session for session, undecided in self._undecided.items() if undecided}

    def ledger_changed(self, change: LedgerChange) -> None:
        session = change.session
        if session not in self._ledger.sessions:
            self._undecided.pop(session, None)
        elif change.keys is None or session not in self._undecided:
            self._undecided[session] = self._all_undecided(session)
        else:
            undecided = self._undecided[session]
            undecided.difference_update(key for key in change.keys if self._decided(session, key))
            if undecided and session.rejections:
                undecided.difference_update(
                    [key for key in undecided if _held_back(self._ledger, session, key)]
                )
        if session in self._deciding and not self._undecided.get(session):
            self._deciding.discard(session)
            if self._on_decided is not None and session in self._undecided:
                self._on_decided(session)
        self.check()

    def check(self) -> None:
        if len(self._undecided) >= self._nodes and not any(self._undecided.values()):
            self.done.set()

    def result(self) -> RolloutResult:
        sessions = tuple(self._ledger.sessions)
        return RolloutResult(
            tuple(session.node for session in sessions),
            tuple(
                rejection
                for session in sessions
                for rejection in self._ledger.rejected_by(session)
                if rejection.key in self._versions
            ),
        )

    def _all_undecided(self, session: Connection) -> set[ResourceKey]:
        return {key for key in self._versions if not self._decided(session, key)}

    def _decided(self, session: Connection, key: ResourceKey) -> bool:
        if not session.subscribes_to(key) or key not in self._versions:
            return True
        return has_decided(self._ledger, session, key, self._versions[key])


def has_decided(ledger: Ledger, session: Connection, key: ResourceKey, *versions: str | None) -> bool:
    """Whether a connection has decided on the wanted version of a resource, or on one of ``versions``."""
    if not session.subscribes_to(key):
        return True
    accepted = (*versions, ledger.cache.version(key))
    rejection = session.rejections.get(key)
    return (
        session.version(key) in accepted
        or (rejection is not None and rejection.version in accepted)
        or _held_back(ledger, session, key)
    )


def _held_back(ledger: Ledger, session: Connection, key: ResourceKey) -> bool:
    if ledger.cache.version(key) is not None:
        return False
    before = REMOVED_AFTER.get(key[0], frozenset())
    return any(rejected.key[0] in before for rejected in ledger.rejected_by(session))
