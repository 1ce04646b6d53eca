"""A copy of the catalogue in another process, and the updates that keep it the same.

What differs between two revisions is sent in batches of objects, then the number of the newer revision.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from crossgate.catalogue.model import Catalogue
from crossgate.service.objects import (
    GATEWAY_KEY,
    SETTINGS_KEY,
    CatalogueObject,
    ObjectKey,
    ObjectKind,
    with_objects,
)
from crossgate.service.snapshot import Snapshot

_BATCH: Final = 250
"""Objects that are encoded at once: 5 ms of work."""
_FEW: Final = 250
"""Changed objects, up to which the index of endpoints is advanced instead of built."""


class CatalogueFeed:
    """Makes the updates for one copy. Calls come one after another."""

    def __init__(self) -> None:
        self._sent = Snapshot()

    def updates(self, head: Snapshot, *, new: bool) -> Iterator[bytes]:
        """What brings the copy to ``head``, in parts; everything if the copy is new, that is, empty."""
        if new:
            self._sent = Snapshot()
        if self._sent is head:
            return
        changed = _changed(self._sent.catalogue, head.catalogue)
        while batch := dict(islice(changed, _BATCH)):
            yield pickle.dumps(batch)
        yield pickle.dumps(head.revision)
        self._sent = head


class CatalogueCopy:
    """The receiving side."""

    def __init__(self) -> None:
        self.snapshot = Snapshot()
        self._changed: dict[ObjectKey, CatalogueObject | None] = {}

    def take(self, content: bytes) -> bool:
        """Take an update; True if the snapshot is now that of a new revision."""
        update: Mapping[ObjectKey, CatalogueObject | None] | int
        update = pickle.loads(content)  # noqa: S301 - from the process that started this one
        if not isinstance(update, int):
            self._changed |= update
            return False
        changed, self._changed = self._changed, {}
        if len(changed) > _FEW:
            self.snapshot = Snapshot.of(update, with_objects(self.snapshot.catalogue, changed))
        else:
            self.snapshot = self.snapshot.advance(update, changed)
        return True


def _changed(before: Catalogue, after: Catalogue) -> Iterator[tuple[ObjectKey, CatalogueObject | None]]:
    """The objects that are not the same, with their keys; None for those that were removed."""
    if before.gateway is not after.gateway:
        yield GATEWAY_KEY, after.gateway
    if before.settings is not after.settings:
        yield SETTINGS_KEY, after.settings
    yield from _changed_of(ObjectKind.API, before.apis, after.apis)
    yield from _changed_of(ObjectKind.APPLICATION, before.applications, after.applications)


def _changed_of(
    kind: ObjectKind, before: Mapping[str, CatalogueObject], after: Mapping[str, CatalogueObject]
) -> Iterator[tuple[ObjectKey, CatalogueObject | None]]:
    if before is not after:
        yield from (((kind, key), one) for key, one in after.items() if before.get(key) is not one)
        yield from (((kind, key), None) for key in before.keys() - after.keys())
