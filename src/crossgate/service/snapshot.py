"""The catalogue at one revision, with what checking a change against it needs at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossgate.catalogue.endpoint_index import EndpointIndex
from crossgate.catalogue.model import Catalogue
from crossgate.service.objects import CatalogueObject, Kind, ObjectKey, with_objects


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Immutable: whoever holds one sees one revision, whole, whatever happens meanwhile."""

    revision: int = 0
    catalogue: Catalogue = field(default_factory=Catalogue)
    endpoints: EndpointIndex = field(default_factory=EndpointIndex, repr=False)

    @classmethod
    def of(cls, revision: int, catalogue: Catalogue) -> Snapshot:
        """A snapshot of a consistent catalogue."""
        return cls(revision, catalogue, EndpointIndex.of(catalogue.apis.values()))

    def advance(self, revision: int, objects: Mapping[ObjectKey, CatalogueObject | None]) -> Snapshot:
        """The snapshot after these objects were put, or removed where None; they are consistent."""
        catalogue = with_objects(self.catalogue, objects)
        apis = [key for kind, key in objects if kind is Kind.API]
        endpoints, _ = self.endpoints.advance(self.catalogue.apis, catalogue.apis, apis)
        return Snapshot(revision, catalogue, endpoints)
