"""YAML documents that declare everything: read with every error at its line and column, and written.

Several documents declare one catalogue together: objects may refer to each other across files, and may not
repeat each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final

from crossgate.catalogue.document_files import SourceText, read_file, read_files
from crossgate.catalogue.model import Api, Application, Catalogue
from crossgate.catalogue.parsed_documents import ParsedDocument, ParsedDocuments, position
from crossgate.catalogue.reader import Sections, merge_sections, read_sections, refuse_files
from crossgate.catalogue.references import UNKNOWN_API, check_document
from crossgate.catalogue.serialise import catalogue_to_dict, objects_to_dict
from crossgate.catalogue.yaml.events import parse_yaml
from crossgate.catalogue.yaml.files import FileStamp, read_lines_of
from crossgate.catalogue.yaml.writer import write_yaml
from crossgate.diagnostics import Diagnostic, Place
from crossgate.record import quote_remedy

_KEY_ERRORS: Final = frozenset({"unknown-key", "duplicate-key", "duplicate-section", "label-key-invalid"})
"""Errors of a key itself: their place is the key's, that of others the value's."""
_FOUND_LENGTH: Final = 300


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of reading documents: a catalogue; or None, and every error."""

    catalogue: Catalogue | None
    diagnostics: tuple[Diagnostic, ...] = ()
    """In the order of their places."""
    files: tuple[FileStamp, ...] = ()
    """The documents' own files and those that they name, as they were before they were read."""
    names: tuple[str, ...] = ()
    """The files of the documents as diagnostics name them, in their order."""
    _documents: ParsedDocuments = field(default=ParsedDocuments(), repr=False)

    def located(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Findings whose places are paths into the document, with file, line and column, in their order."""
        return self.in_order(self._located(found) for found in diagnostics)

    def in_order(self, located: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Findings with file, line and column, in the order of their places."""
        return sorted(located, key=self.order)

    def order(self, located: Diagnostic) -> tuple[int, int, int]:
        """The key to sort findings with file, line and column by."""
        place = located.place
        number = self.names.index(place.file) if place.file in self.names else 0
        return number, place.line or 0, place.column or 0

    def locate(self, place: Place) -> Place:
        """A path into the document with file, line and column."""
        return self._documents.locate(place)

    def declares(self, *path: str) -> bool:
        """Whether a document has that section, such as ``gateway``, or that key of a section."""
        return any(source.has(*path) for source in self._documents.documents)

    def _located(self, found: Diagnostic) -> Diagnostic:
        at = self._documents.find(found.place)
        if at is None:
            return found
        source, place = at
        return _locate(replace(found, place=place), source)


def load_document(path: str | Path) -> Reading:
    """The reading of the document in the file; never raises.

    Relative paths in the document count from its own folder.
    """
    stamps: list[FileStamp] = []
    return _read([read_file(path, stamps)], stamps)


def load_documents(paths: Sequence[Path], stdin: BinaryIO) -> Reading:
    """The reading of several documents together; never raises.

    A directory stands for the documents in it, and ``-`` for the stream. Relative paths in a document count
    from its own folder, those in the stream from the current one.
    """
    stamps: list[FileStamp] = []
    return _read(list(read_files(paths, stdin, stamps)), stamps)


def read_document(text: str, *, file: str | None = None, folder: Path | None = None) -> Reading:
    """The reading of the text; never raises.

    Relative paths in the document count from ``folder``; without it, no file is read.
    """
    return _read([SourceText(text, file, folder)], [])


def write_document(catalogue: Catalogue) -> str:
    """The document that declares the catalogue: the same bytes for the same catalogue."""
    return write_yaml(catalogue_to_dict(catalogue))


def write_objects(apis: Iterable[Api], applications: Iterable[Application]) -> str:
    """The document with these objects only; the same bytes for the same objects."""
    written = objects_to_dict(apis, applications)
    return write_yaml(written or {"apis": []})


def _read(texts: Sequence[SourceText | Diagnostic], stamps: list[FileStamp]) -> Reading:
    errors: list[Diagnostic] = []
    declared: list[tuple[ParsedDocument, Sections | None]] = []
    for text in texts:
        if isinstance(text, Diagnostic):
            errors.append(text)
            continue
        parsed, found = parse_yaml(text.text)
        if parsed is None:
            errors += (replace(one, place=replace(one.place, file=text.file)) for one in found)
            continue
        source = ParsedDocument(text.file, parsed)
        read_lines = refuse_files if text.folder is None else read_lines_of(text.folder, stamps)
        sections, invalid = read_sections(parsed.root, text.folder, read_lines)
        errors += (_locate(one, source) for one in [*found, *invalid])
        declared.append((source, sections))
    documents = ParsedDocuments(tuple(source for source, _ in declared))
    names = tuple(dict.fromkeys(_name(text) for text in texts))
    reading = Reading(None, (), tuple(stamps), names, documents)
    errors += _find_inconsistencies(reading, documents, complete=len(declared) == len(texts))
    if errors:
        return replace(reading, diagnostics=tuple(reading.in_order(errors)))
    valid = [(source, sections) for source, sections in declared if sections is not None]
    catalogue = merge_sections(
        [sections for _, sections in valid],
        gateway=_declaring(valid, "gateway"),
        settings=_declaring(valid, "settings"),
    )
    return replace(reading, catalogue=catalogue)


def _find_inconsistencies(
    reading: Reading, documents: ParsedDocuments, *, complete: bool
) -> list[Diagnostic]:
    """The errors between objects, and between documents; ``complete`` if all documents were parsed."""
    several = len(reading.names) > 1
    describe = (lambda place: position(documents.locate(place))) if several else None
    found = [
        one for one in check_document(documents.merged(), describe) if complete or one.code != UNKNOWN_API
    ]
    return [*reading.located(found), *documents.find_repeated_sections()]


def _declaring(documents: Iterable[tuple[ParsedDocument, Sections]], name: str) -> Sections | None:
    return next((sections for source, sections in documents if source.has(name)), None)


def _name(text: SourceText | Diagnostic) -> str:
    return (text.place.file if isinstance(text, Diagnostic) else text.file) or ""


def _locate(found: Diagnostic, source: ParsedDocument) -> Diagnostic:
    """The diagnostic, whose place is a path into the document, with file, line and column."""
    if found.found is not None and len(found.found) > _FOUND_LENGTH:
        found = replace(found, found=f"{found.found[:_FOUND_LENGTH]}…")
    if found.place.line is not None:
        return replace(found, place=replace(found.place, file=source.file))
    if found.found is not None and found.remedy == quote_remedy(found.found):
        # A number has lost its spelling: 1.10 was read as 1.1.
        spelling = source.map.spelling(found.place.path)
        found = replace(found, found=spelling, remedy=quote_remedy(spelling))
    return replace(found, place=source.locate(found.place, key=found.code in _KEY_ERRORS))
