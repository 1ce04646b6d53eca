"""Publishes catalogues to the nodes: compiles what changed, and hands the resources to the xDS cache.

The first catalogue is published in batches: nodes take one batch while the next is compiled. The listener for
clients comes last, because without routes it answers 404. Nodes request the routes before that, through the
internal listener, which is published before anything of the catalogue is known.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Protocol

from crossgate.catalogue.model import Catalogue
from crossgate.compiler.incremental import Compilation
from crossgate.compiler.names import CLIENT_LISTENER
from crossgate.compiler.resource import Changes, Resource, ResourceKey

Publication = Mapping[ResourceKey, str | None]
"""The resource versions that nodes should run after one publication; None for a resource to remove."""


class Distribution(Protocol):
    """Delivers resources to the nodes."""

    def update(self, changes: Changes, /) -> object:
        """Apply these changes together."""


class Publisher:
    """Publishes one catalogue after another, each time only what changed."""

    def __init__(self, distribution: Distribution, system_ca: str) -> None:
        """``system_ca``: PEM file of the authorities for https native services without a configured one."""
        self._distribution = distribution
        self._system_ca = system_ca
        self._compilation = Compilation()
        # One thread compiles, another one distributes.
        self._lock = threading.Lock()
        self._undistributed: dict[ResourceKey, Resource | None] = {}

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue that was compiled last; it may not be distributed yet."""
        return self._compilation.catalogue

    @property
    def undistributed(self) -> tuple[ResourceKey, ...]:
        """The keys of what was compiled and not distributed yet."""
        with self._lock:
            return tuple(self._undistributed)

    def publish(self, catalogue: Catalogue) -> Publication:
        """Compile the catalogue and distribute what changed."""
        self.compile(catalogue)
        return self.distribute()

    def compile(self, catalogue: Catalogue) -> None:
        """Compile what changed, for a later :meth:`distribute`. Any thread may call it, one at a time.

        A catalogue that is never distributed does no harm: compiling the next one reverts it.
        """
        if catalogue is self._compilation.catalogue:
            return
        self._compilation, changes = self._compilation.advance(catalogue, self._system_ca)
        with self._lock:
            self._undistributed.update(changes)

    def distribute(self, *, client_listener: bool = True) -> Publication:
        """Distribute everything compiled since the last call; the clients' listener only if requested."""
        with self._lock:
            changes = {
                key: resource
                for key, resource in self._undistributed.items()
                if client_listener or key != CLIENT_LISTENER
            }
            for key in changes:
                del self._undistributed[key]
        if changes:
            self._distribution.update(changes)
        return {key: resource.version if resource else None for key, resource in changes.items()}
