"""The YAML document that declares everything: read with every error at its line and column, and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from crossgate.catalogue.model import Catalogue
from crossgate.catalogue.reader import read_catalogue, refuse_files
from crossgate.catalogue.serialise import catalogue_to_dict
from crossgate.catalogue.yaml.events import parse_yaml
from crossgate.catalogue.yaml.files import FileStamp, read_lines_of, read_text
from crossgate.catalogue.yaml.source_map import SourceMap
from crossgate.catalogue.yaml.writer import write_yaml
from crossgate.diagnostics import Diagnostic, Place
from crossgate.record import quote_remedy

_KEY_ERRORS: Final = frozenset({"unknown-key", "duplicate-key", "label-key-invalid"})
"""Errors of a key itself: their place is the key's, that of others the value's."""
_FOUND_LENGTH: Final = 300


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of reading a document: a catalogue; or None, and every error."""

    catalogue: Catalogue | None
    diagnostics: tuple[Diagnostic, ...] = ()
    """In the order of their places."""
    file: str | None = None
    files: tuple[FileStamp, ...] = ()
    """The document's own file and those that it names, as they were before they were read."""
    _source: SourceMap | None = field(default=None, repr=False)

    def located(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Findings whose places are paths into the document, with file, line and column, in their order."""
        return sorted((self._locate(found) for found in diagnostics), key=_position)

    def locate(self, place: Place) -> Place:
        """A path into the document with file, line and column."""
        return place if self._source is None else self._source.locate(place, self.file)

    def declares(self, *path: str) -> bool:
        """Whether the document has that section, such as ``gateway``, or that key of a section."""
        found = None if self._source is None else self._source.root
        for key in path:
            if not isinstance(found, Mapping) or key not in found:
                return False
            found = found[key]
        return True

    def _locate(self, found: Diagnostic) -> Diagnostic:
        if found.found is not None and len(found.found) > _FOUND_LENGTH:
            found = replace(found, found=f"{found.found[:_FOUND_LENGTH]}…")
        if self._source is None or found.place.line is not None:
            return replace(found, place=replace(found.place, file=self.file))
        if found.found is not None and found.remedy == quote_remedy(found.found):
            # A number has lost its spelling: 1.10 was read as 1.1.
            spelling = self._source.spelling(found.place.path)
            found = replace(found, found=spelling, remedy=quote_remedy(spelling))
        place = self._source.locate(found.place, self.file, key=found.code in _KEY_ERRORS)
        return replace(found, place=place)


def load_document(path: str | Path) -> Reading:
    """The reading of the document in the file; never raises.

    Relative paths in the document count from its own folder.
    """
    file = Path(path)
    stamp = FileStamp.now(file)
    text = read_text(file)
    if isinstance(text, Diagnostic):
        return Reading(None, (text,), str(path), files=(stamp,))
    reading = read_document(text, file=str(path), folder=file.absolute().parent)
    return replace(reading, files=(stamp, *reading.files))


def read_document(text: str, *, file: str | None = None, folder: Path | None = None) -> Reading:
    """The reading of the text; never raises.

    Relative paths in the document count from ``folder``; without it, no file is read.
    """
    source, errors = parse_yaml(text)
    stamps: list[FileStamp] = []
    catalogue: Catalogue | None = None
    if source is not None:
        read_lines = refuse_files if folder is None else read_lines_of(folder, stamps)
        catalogue, found = read_catalogue(source.root, folder, read_lines)
        errors += found
    if not errors:
        return Reading(catalogue, (), file, tuple(stamps), source)
    reading = Reading(None, (), file, tuple(stamps), source)
    return replace(reading, diagnostics=tuple(reading.located(errors)))


def write_document(catalogue: Catalogue) -> str:
    """The document that declares the catalogue: the same bytes for the same catalogue."""
    return write_yaml(catalogue_to_dict(catalogue))


def _position(found: Diagnostic) -> tuple[int, int]:
    return found.place.line or 0, found.place.column or 0
