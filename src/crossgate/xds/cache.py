"""The resources that every node should have: type → name → `Resource`.

An update costs its own size, never the size of the cache, and watchers hear which keys really changed: equal
versions are no change. Not for use from several threads: everything happens on the event loop's.

Public: `Cache`, `Key`, `Changes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, KeysView, Mapping

from crossgate.compiler.resource import Resource
from crossgate.service.observers import Observers

Key = tuple[str, str]
"""Type URL and name of one resource."""
Changes = Mapping[Key, Resource | None]
"""New resources by key; None removes."""


class Cache:
    """The wanted state; it remembers no history."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Resource]] = {}
        self._observers = Observers[tuple[Key, ...]]()

    def get(self, type_url: str, name: str) -> Resource | None:
        """The resource, or None if there should be none."""
        kind = self._kinds.get(type_url)
        return kind.get(name) if kind else None

    def names(self, type_url: str) -> KeysView[str]:
        """All names of one kind; the view is live."""
        return self._kinds.setdefault(type_url, {}).keys()

    def version(self, key: Key) -> str | None:
        """The wanted version, or None if there should be no such resource."""
        resource = self.get(*key)
        return resource.version if resource else None

    def versions(self) -> dict[Key, str | None]:
        """A copy of every wanted version, by key."""
        return {
            (type_url, name): resource.version
            for type_url, kind in self._kinds.items()
            for name, resource in kind.items()
        }

    def update(self, changes: Changes) -> tuple[Key, ...]:
        """Apply all ``changes`` as one; returns, and tells watchers, the keys whose version really changed.

        The changes of one call are ordered by `crossgate.xds.ordering`: pass an API's cluster and routes
        together.
        """
        changed = tuple(key for key, resource in changes.items() if self._put(key, resource))
        if changed:
            self._observers.notify(changed)
        return changed

    def replace(self, resources: Iterable[Resource]) -> tuple[Key, ...]:
        """Make the cache hold exactly ``resources``; only differences by version become changes."""
        changes: dict[Key, Resource | None] = {
            (resource.type_url, resource.name): resource for resource in resources
        }
        for type_url, kind in self._kinds.items():
            for name in kind:
                changes.setdefault((type_url, name), None)
        return self.update(changes)

    def watch(self, observer: Callable[[tuple[Key, ...]], None]) -> Callable[[], None]:
        """Call ``observer`` with the changed keys of each update, until the returned function is called."""
        return self._observers.add(observer)

    def _put(self, key: Key, resource: Resource | None) -> bool:
        type_url, name = key
        kind = self._kinds.setdefault(type_url, {})
        before = kind.get(name)
        if resource is None:
            return kind.pop(name, None) is not None
        if key != (resource.type_url, resource.name):
            raise ValueError(f"the resource {resource.name} was filed under {name}")
        kind[name] = resource
        return before is None or before.version != resource.version
