"""Has the store remember what nodes made of revisions, however long the store is away meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from crossgate.service.errors import StoreUnavailable
from crossgate.service.ports import CatalogueStore, NodeRollout

_TOGETHER_SECONDS: Final = 0.5
"""Outcomes that come so soon after each other are recorded together: each write keeps changes waiting."""
_RETRY_SECONDS: Final = 2.0
_MOST_REVISIONS: Final = 10_000
"""What is remembered for a store that is away; the oldest is given up first."""


class Recorder:
    """Records in the background: an outcome is worth no request's wait."""

    def __init__(self, store: CatalogueStore) -> None:
        self._store = store
        self._outcomes: dict[int, dict[str, NodeRollout]] = {}
        self._some = asyncio.Event()

    def record(self, revision: int, outcomes: Iterable[NodeRollout]) -> None:
        """Have these outcomes recorded soon."""
        found = {one.node: one for one in outcomes}
        if not found:
            return
        self._outcomes.setdefault(revision, {}).update(found)
        while len(self._outcomes) > _MOST_REVISIONS:
            del self._outcomes[min(self._outcomes)]
        self._some.set()

    async def run(self) -> None:
        """Record until cancelled, and then what is left."""
        try:
            while True:
                await self._some.wait()
                await asyncio.sleep(_TOGETHER_SECONDS)
                self._some.clear()
                if not await self._record():
                    await asyncio.sleep(_RETRY_SECONDS)
                    self._some.set()
        finally:
            await self._record()

    async def _record(self) -> bool:
        """Whether the store took what there was."""
        outcomes, self._outcomes = self._outcomes, {}
        if not outcomes:
            return True
        written = {revision: tuple(of_nodes.values()) for revision, of_nodes in outcomes.items()}
        try:
            await asyncio.to_thread(self._store.record_rollouts, written)
        except StoreUnavailable:
            for revision, newer in self._outcomes.items():
                outcomes.setdefault(revision, {}).update(newer)
            self._outcomes = outcomes
            return False
        return True
