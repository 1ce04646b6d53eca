"""The parsed documents that declare one catalogue together, and the place of each object in them.

Objects are numbered across all documents: ``$.apis[7]`` may be the first API of the third document. Places go
in by that number, and come out with the file, and with the path in that file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from crossgate.catalogue.yaml.source_map import SourceMap
from crossgate.diagnostics import Diagnostic, Place

_LISTS: Final = ("apis", "applications")
_SINGLE: Final = ("gateway", "settings")


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """One parsed document, and its file, if it has one."""

    file: str | None
    map: SourceMap

    def locate(self, place: Place, *, key: bool = False) -> Place:
        """A path into this document with file, line and column."""
        return self.map.locate(place, self.file, key=key)

    def has(self, *path: str) -> bool:
        """Whether it has that section, or that key of a section."""
        found = self.map.root
        for key in path:
            if not isinstance(found, Mapping) or key not in found:
                return False
            found = found[key]
        return True

    def entries(self, name: str) -> Sequence[object]:
        """The entries of a section that is a list."""
        found = self.map.root.get(name) if isinstance(self.map.root, Mapping) else None
        return found if isinstance(found, list) else ()


@dataclass(frozen=True, slots=True)
class ParsedDocuments:
    """The documents of one catalogue, in their order."""

    documents: tuple[ParsedDocument, ...] = ()

    def find(self, place: Place) -> tuple[ParsedDocument, Place] | None:
        """The document that a path into all of them leads to, and the path in it; None without a document."""
        path = place.path
        match path:
            case (str(name), int(index), *rest) if name in _LISTS:
                for source in self.documents:
                    count = len(source.entries(name))
                    if index < count:
                        return source, replace(place, path=(name, index, *rest))
                    index -= count
            case (str(name), *_) if name in _SINGLE:
                declaring = (source for source in self.documents if source.has(name))
                return next(((source, place) for source in declaring), self._first(place))
            case _:
                pass
        return self._first(place)

    def _first(self, place: Place) -> tuple[ParsedDocument, Place] | None:
        return (self.documents[0], place) if self.documents else None

    def locate(self, place: Place) -> Place:
        """The place with file, line and column; as it is if no document declares it."""
        found = self.find(place)
        return place if found is None else found[0].locate(found[1])

    def merged(self) -> dict[str, object]:
        """The raw APIs and applications of all documents."""
        return {name: [one for source in self.documents for one in source.entries(name)] for name in _LISTS}

    def find_repeated_sections(self) -> Iterator[Diagnostic]:
        """An error for each section that only one document may have, and a second one has."""
        for name in _SINGLE:
            first: Place | None = None
            for source in self.documents:
                if not source.has(name):
                    continue
                place = source.locate(Place((name,)), key=True)
                if first is not None:
                    yield Diagnostic(
                        code="duplicate-section",
                        message=f"{name} is already declared at {position(first)}",
                        found=name,
                        remedy=f"Declare {name} in one of the files only",
                        place=place,
                    )
                first = first or place


def position(place: Place) -> str:
    """The file, line and column of a place, without its path."""
    return str(replace(place, path=()))
