"""Has the store remember what nodes made of revisions, however long the store is away meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from crossgate.service.ports import CatalogueStore
from crossgate.service.refusal import StoreUnavailable
from crossgate.service.revision import NodeOutcome

_RETRY_SECONDS: Final = 2.0
_MOST_REVISIONS: Final = 10_000
"""What is remembered for a store that is away; the oldest is given up first."""


class Recorder:
    """Records in the background: an outcome is worth no request's wait."""

    def __init__(self, store: CatalogueStore) -> None:
        self._store = store
        self._outcomes: dict[int, dict[str, NodeOutcome]] = {}
        self._some = asyncio.Event()

    def record(self, revision: int, outcomes: Iterable[NodeOutcome]) -> None:
        """Have these outcomes recorded soon."""
        found = {one.node: one for one in outcomes}
        if not found:
            return
        self._outcomes.setdefault(revision, {}).update(found)
        while len(self._outcomes) > _MOST_REVISIONS:
            del self._outcomes[min(self._outcomes)]
        self._some.set()

    async def run(self) -> None:
        """Record until cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            while self._outcomes:
                await self._record_one(next(iter(self._outcomes)))

    async def _record_one(self, revision: int) -> None:
        outcomes = self._outcomes.pop(revision)
        try:
            await asyncio.to_thread(self._store.record_outcomes, revision, outcomes.values())
        except StoreUnavailable:
            self._outcomes[revision] = outcomes | self._outcomes.get(revision, {})
            await asyncio.sleep(_RETRY_SECONDS)
