"""Publishing: a catalogue becomes what the nodes are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from crossgate.catalogue.model import Catalogue
from crossgate.compiler.compilation import Compilation
from crossgate.compiler.resource import Changes, ResourceKey


class Distribution(Protocol):
    """Where resources go to reach the nodes."""

    def update(self, changes: Changes, /) -> object:
        """Make these changes, all of them as one."""


@dataclass(frozen=True, slots=True)
class Published:
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

    @property
    def catalogue(self) -> Catalogue:
        """What was published last."""
        return self._compilation.catalogue

    def publish(self, catalogue: Catalogue) -> Published:
        """Tell the nodes what differs from the last publication."""
        self._compilation, changes = self._compilation.advance(catalogue, self._system_ca)
        if changes:
            self._distribution.update(changes)
        return Published({key: new.version if new else None for key, new in changes.items()})
