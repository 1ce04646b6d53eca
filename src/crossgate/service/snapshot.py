"""Snapshots: the catalogue at one revision, with the index that checks of changes need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossgate.catalogue.endpoint_index import EndpointIndex
from crossgate.catalogue.model import Catalogue
from crossgate.service.objects import CatalogueObject, ObjectKey, ObjectKind, with_objects


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One complete revision; immutable, so that a reader is not affected by later changes."""

    revision: int = 0
    catalogue: Catalogue = field(default_factory=Catalogue)
    endpoints: EndpointIndex = field(default_factory=EndpointIndex, repr=False)

    @classmethod
    def of(cls, revision: int, catalogue: Catalogue) -> Snapshot:
        """A snapshot of a consistent catalogue."""
        return cls(revision, catalogue, EndpointIndex.of(catalogue.apis.values()))

    def advance(self, revision: int, objects: Mapping[ObjectKey, CatalogueObject | None]) -> Snapshot:
        """The snapshot with these objects put, or removed where None; the caller has checked them."""
        catalogue = with_objects(self.catalogue, objects)
        apis = [key for kind, key in objects if kind is ObjectKind.API]
        endpoints, _ = self.endpoints.advance(self.catalogue.apis, catalogue.apis, apis)
        return Snapshot(revision, catalogue, endpoints)
