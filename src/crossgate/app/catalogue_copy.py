"""A copy of the catalogue in another process, and the updates that keep it the same."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final, TypeVar

from crossgate.catalogue.model import Api, Application, Catalogue
from crossgate.service.snapshot import Snapshot

_BATCH: Final = 250
"""Objects that are encoded at once: 5 ms of work."""
_FEW: Final = 250
"""Changed APIs, up to which the index of endpoints is advanced instead of built."""
_Object = TypeVar("_Object", Api, Application)


@dataclass(frozen=True, slots=True)
class _Update:
    """A part of what differs between two revisions."""

    apis: Mapping[str, Api | None] = field(default_factory=dict)
    applications: Mapping[str, Application | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Completion:
    """The end of the updates for one revision."""

    revision: int
    rest: Catalogue
    """Without APIs and applications."""


class CatalogueFeed:
    """Makes the updates for one copy. Calls come one after another."""

    def __init__(self) -> None:
        self._sent: Snapshot | None = None

    def updates(self, head: Snapshot, *, new: bool) -> Iterator[bytes]:
        """What brings the copy to ``head``, in parts; everything if the copy is new, that is, empty."""
        if new:
            self._sent = None
        if self._sent is head:
            return
        before = Catalogue() if self._sent is None else self._sent.catalogue
        after = head.catalogue
        for apis in _batches(_changed(before.apis, after.apis)):
            yield pickle.dumps(_Update(apis=apis))
        for applications in _batches(_changed(before.applications, after.applications)):
            yield pickle.dumps(_Update(applications=applications))
        yield pickle.dumps(_Completion(head.revision, replace(after, apis={}, applications={})))
        self._sent = head


class CatalogueCopy:
    """The receiving side."""

    def __init__(self) -> None:
        self.snapshot = Snapshot()
        self._apis: dict[str, Api | None] = {}
        self._applications: dict[str, Application | None] = {}

    def take(self, content: bytes) -> bool:
        """Take an update; True if the snapshot is now that of a new revision."""
        update = pickle.loads(content)  # noqa: S301 - from the process that started this one
        if isinstance(update, _Update):
            self._apis |= update.apis
            self._applications |= update.applications
            return False
        before = self.snapshot
        catalogue = replace(
            update.rest,
            apis=_merged(before.catalogue.apis, self._apis),
            applications=_merged(before.catalogue.applications, self._applications),
        )
        if len(self._apis) > _FEW:
            self.snapshot = Snapshot.of(update.revision, catalogue)
        else:
            endpoints, _ = before.endpoints.advance(before.catalogue.apis, catalogue.apis, [*self._apis])
            self.snapshot = Snapshot(update.revision, catalogue, endpoints)
        self._apis, self._applications = {}, {}
        return True


def _changed(before: Mapping[str, _Object], after: Mapping[str, _Object]) -> dict[str, _Object | None]:
    if before is after:
        return {}
    changed: dict[str, _Object | None] = {
        key: one for key, one in after.items() if before.get(key) is not one
    }
    changed.update((key, None) for key in before.keys() - after.keys())
    return changed


def _batches(objects: Mapping[str, _Object | None]) -> Iterator[dict[str, _Object | None]]:
    remaining = iter(objects.items())
    while batch := dict(islice(remaining, _BATCH)):
        yield batch


def _merged(before: Mapping[str, _Object], changed: Mapping[str, _Object | None]) -> Mapping[str, _Object]:
    if not changed:
        return before
    merged = {key: one for key, one in before.items() if key not in changed}
    merged.update((key, one) for key, one in changed.items() if one is not None)
    return merged
