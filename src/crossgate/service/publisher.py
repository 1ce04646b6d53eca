"""Publishing: a catalogue becomes what the nodes are told.

The first one is published in batches: while one is compiled, nodes take the one before. The listener for
clients comes last: whatever it has no routes for is answered 404. Nodes ask for the routes all the same, for
the listener inside; that one comes before anything is known of the catalogue.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from crossgate.catalogue.model import Catalogue
from crossgate.compiler.compilation import Compilation
from crossgate.compiler.listener import LISTENER_NAME
from crossgate.compiler.resource import LISTENER, Changes, Resource, ResourceKey

_FOR_CLIENTS: Final = (LISTENER, LISTENER_NAME)


class Distribution(Protocol):
    """Where resources go to reach the nodes."""

    def update(self, changes: Changes, /) -> object:
        """Make these changes, all of them as one."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One publication: the versions that the nodes should now run, None for what is to go."""

    versions: Mapping[ResourceKey, str | None]

    def __bool__(self) -> bool:
        return bool(self.versions)


class Publisher:
    """Publishes one catalogue after another; each time only what the change touches."""

    def __init__(self, distribution: Distribution, system_ca: str) -> None:
        """``system_ca`` is the PEM file of authorities for https native services where none is configured."""
        self._distribution = distribution
        self._system_ca = system_ca
        self._compilation = Compilation()
        # What is compiled in one thread is distributed in another.
        self._handing_over = threading.Lock()
        self._compiled: dict[ResourceKey, Resource | None] = {}

    @property
    def catalogue(self) -> Catalogue:
        """What was compiled last: published, or soon to be."""
        return self._compilation.catalogue

    def publish(self, catalogue: Catalogue) -> Publication:
        """Tell the nodes what differs from the last publication."""
        self.compile(catalogue)
        return self.distribute()

    def compile(self, catalogue: Catalogue) -> None:
        """Work out what differs; from any thread, as long as it is one at a time.

        It binds nobody: if something else comes, what is distributed is that.
        """
        if catalogue is self._compilation.catalogue:
            return
        self._compilation, changes = self._compilation.advance(catalogue, self._system_ca)
        with self._handing_over:
            self._compiled.update(changes)

    def distribute(self, *, opened: bool = True) -> Publication:
        """Tell the nodes what was compiled and not told yet; but the clients' listener when ``opened``."""
        with self._handing_over:
            changes = {key: new for key, new in self._compiled.items() if opened or key != _FOR_CLIENTS}
            for key in changes:
                del self._compiled[key]
        if changes:
            self._distribution.update(changes)
        return Publication({key: new.version if new else None for key, new in changes.items()})
