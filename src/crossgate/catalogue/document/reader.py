"""A document's text to a catalogue, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from crossgate.catalogue.document.entries import DocumentEntry
from crossgate.catalogue.document.objects import api_of, application_of, gateway_of
from crossgate.catalogue.document.settings_entry import read_settings
from crossgate.catalogue.document.shape_errors import as_found, explain_shape_errors
from crossgate.catalogue.model import Catalogue
from crossgate.catalogue.references import check_document
from crossgate.catalogue.yaml.events import parse_yaml
from crossgate.catalogue.yaml.files import FileStamp, read_lines_of
from crossgate.catalogue.yaml.source_map import SourceMap
from crossgate.diagnostics import Diagnostic
from crossgate.policy import ServerPolicy

_KEY_FAULTS: Final = frozenset({"unknown-key", "duplicate-key"})
"""Faults of a key itself: they are shown at the key, others at its value."""
_FOUND_LENGTH: Final = 300


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of a document: a catalogue, or None and every reason why not."""

    catalogue: Catalogue | None
    diagnostics: tuple[Diagnostic, ...] = ()
    """In the order of their places."""
    file: str | None = None
    files: tuple[FileStamp, ...] = ()
    """The document's own and those that it names, as they were before they were read."""
    _tree: SourceMap | None = field(default=None, repr=False)

    def located(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Findings whose places are paths into the document, with file, line and column, in their order."""
        return sorted((self._locate(found) for found in diagnostics), key=_position)

    def declares(self, section: str) -> bool:
        """Whether the document has that section: ``gateway``, ``settings``, ``apis`` or ``applications``."""
        return self._tree is not None and isinstance(self._tree.root, dict) and section in self._tree.root

    def _locate(self, found: Diagnostic) -> Diagnostic:
        if found.found is not None and len(found.found) > _FOUND_LENGTH:
            found = replace(found, found=f"{found.found[:_FOUND_LENGTH]}…")
        if self._tree is None or found.place.line is not None:
            return replace(found, place=replace(found.place, file=self.file))
        return replace(found, place=self._tree.locate(found.place, self.file, key=found.code in _KEY_FAULTS))


def read_document(text: str, *, file: str | None = None, folder: Path | None = None) -> Reading:
    """The catalogue that the text declares, if there is no error in it.

    Relative paths in the document count from ``folder``; without it, no file is read.
    """
    tree, diagnostics = parse_yaml(text)
    seen: list[FileStamp] = []
    catalogue: Catalogue | None = None
    if tree is not None:
        catalogue, faults = _read_catalogue(tree, folder, seen)
        diagnostics += faults
    if not diagnostics:
        return Reading(catalogue, (), file, tuple(seen), tree)
    reading = Reading(None, (), file, tuple(seen), tree)
    return replace(reading, diagnostics=tuple(reading.located(diagnostics)))


def _read_catalogue(
    tree: SourceMap, folder: Path | None, seen: list[FileStamp]
) -> tuple[Catalogue | None, list[Diagnostic]]:
    """The catalogue, None if the document has not its shape; and everything that is wrong in it."""
    if not isinstance(tree.root, dict):
        return None, [_no_mapping(tree.root)]
    diagnostics = [*check_document(tree.root)]
    settings = tree.root.get("settings", {})
    server_policy: ServerPolicy | None = None
    if isinstance(settings, dict):
        server_policy, faults = read_settings(settings, read_lines_of(folder, seen))
        diagnostics += (fault.within("settings") for fault in faults)
    else:
        diagnostics.append(_no_settings(settings))
    try:
        document = DocumentEntry.model_validate(tree.root)
    except ValidationError as error:
        return None, [*diagnostics, *explain_shape_errors(error, DocumentEntry, tree.source)]
    if diagnostics:
        return None, diagnostics
    return _catalogue(document, settings, server_policy, folder), []


def _position(found: Diagnostic) -> tuple[int, int]:
    return found.place.line or 0, found.place.column or 0


def _no_mapping(root: object) -> Diagnostic:
    remedy = "Write keys and values: gateway, settings, apis, applications"
    if root is None:
        return Diagnostic("document-empty", "the document is empty", remedy)
    return Diagnostic("wrong-type", "the document must be a mapping", remedy, found=as_found(root))


def _no_settings(settings: object) -> Diagnostic:
    return Diagnostic(
        "wrong-type",
        "settings must be a mapping",
        "Write keys and values, or leave it out",
        found=as_found(settings),
    ).within("settings")


def _catalogue(
    document: DocumentEntry,
    settings: Mapping[str, object],
    server_policy: ServerPolicy | None,
    folder: Path | None,
) -> Catalogue:
    gateway = gateway_of(document.gateway, folder)
    if server_policy is not None:
        server_policy = replace(server_policy, public_origins=frozenset(gateway.public_origins))
    apis = [api_of(entry) for entry in document.apis]
    return Catalogue(
        gateway=gateway,
        server_policy=server_policy,
        settings=settings,
        apis={api.key: api for api in apis},
        applications={entry.name: application_of(entry) for entry in document.applications},
    )
