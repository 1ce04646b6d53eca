"""The resources that every node should have: type → name → `Resource`.

An update costs its own size, never the size of the cache. Observers get the keys whose version
changed. Not thread-safe: use it from one event loop.
"""

from __future__ import annotations

from collections.abc import Callable, KeysView

from crossgate.compiler.resource import Changes, Resource, ResourceKey
from crossgate.service.observers import Observers


class Cache:
    """The wanted state, without history."""

    def __init__(self) -> None:
        self._types: dict[str, dict[str, Resource]] = {}
        self._observers = Observers[tuple[ResourceKey, ...]]()

    def get(self, type_url: str, name: str) -> Resource | None:
        """The resource, or None if there should be none."""
        resources = self._types.get(type_url)
        return resources.get(name) if resources else None

    def names(self, type_url: str) -> KeysView[str]:
        """All names of one type, as a live view."""
        return self._types.setdefault(type_url, {}).keys()

    def sizes(self) -> dict[str, int]:
        """The number of resources by type URL; any thread may call it."""
        return {type_url: len(resources) for type_url, resources in self._types.copy().items()}

    def version(self, key: ResourceKey) -> str | None:
        """The wanted version, or None if there should be no such resource."""
        resource = self.get(*key)
        return resource.version if resource else None

    def versions(self) -> dict[ResourceKey, str | None]:
        """A copy of every wanted version, by key."""
        return {
            (type_url, name): resource.version
            for type_url, resources in self._types.items()
            for name, resource in resources.items()
        }

    def update(self, changes: Changes) -> tuple[ResourceKey, ...]:
        """Apply all ``changes`` as one; returns the keys whose version changed, and calls watchers with them.

        The changes of one call are ordered by `crossgate.xds.ordering`: pass an API's cluster and routes
        together.
        """
        changed = tuple(key for key, resource in changes.items() if self._put(key, resource))
        if changed:
            self._observers.notify(changed)
        return changed

    def watch(self, observer: Callable[[tuple[ResourceKey, ...]], None]) -> Callable[[], None]:
        """Call ``observer`` with the changed keys of each update, until the returned function is called."""
        return self._observers.add(observer)

    def _put(self, key: ResourceKey, resource: Resource | None) -> bool:
        type_url, name = key
        resources = self._types.setdefault(type_url, {})
        before = resources.get(name)
        if resource is None:
            return resources.pop(name, None) is not None
        if key != (resource.type_url, resource.name):
            raise ValueError(f"the key of resource {resource.name} names {name}")
        resources[name] = resource
        return before is None or before.version != resource.version
