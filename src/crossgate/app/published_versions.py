"""Which revision published which version of a resource, as far as this process has published it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Final

from crossgate.compiler.resource import ResourceKey

_VERSIONS: Final = 8
"""Of each resource: a node that rejects so many in succession keeps a version that is not looked up."""
_PUBLICATIONS: Final = 1000


class PublishedVersions:
    """The newest versions of each resource that changed since the start, and the times of publications."""

    def __init__(self) -> None:
        self._first = 0
        self._versions: dict[ResourceKey, deque[tuple[str | None, int]]] = {}
        self._times: deque[tuple[int, datetime]] = deque(maxlen=_PUBLICATIONS)

    def begin(self, revision: int, at: datetime) -> None:
        """Note what was published first, or anew: all resources of that revision."""
        self._first = revision
        self._versions.clear()
        self._times.append((revision, at))

    def add(
        self,
        revision: int,
        at: datetime,
        before: Mapping[ResourceKey, str | None],
        after: Mapping[ResourceKey, str | None],
    ) -> None:
        """Note a publication; ``before`` are the versions that it replaced."""
        self._times.append((revision, at))
        for key, version in after.items():
            known = self._versions.get(key)
            if known is None:
                known = self._versions[key] = deque([(before.get(key), self._first)], maxlen=_VERSIONS)
            known.append((version, revision))

    def revision_of(self, key: ResourceKey, version: str | None) -> int | None:
        """The newest revision that brought this version of a resource."""
        known: Iterable[tuple[str | None, int]] = self._versions.get(key, ())
        found = [revision for one, revision in known if one == version]
        return found[-1] if found else None

    def last_with(self, key: ResourceKey, version: str | None) -> int | None:
        """The newest revision in which this version of a resource was wanted, if another one followed."""
        known = self._versions.get(key, ())
        found = [following - 1 for (one, _), (_, following) in pairwise(known) if one == version]
        return found[-1] if found else None

    def behind_since(self, revision: int) -> datetime | None:
        """When the first publication after that revision happened; None if there was none."""
        return next((at for number, at in self._times if number > revision), None)
