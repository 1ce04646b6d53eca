"""The plan of an import: what a document of another kind would change in the running catalogue."""

from __future__ import annotations

from dataclasses import dataclass, replace

from crossgate.catalogue.document import read_document
from crossgate.catalogue.yaml.writer import write_yaml
from crossgate.diagnostics import InvalidInput
from crossgate.importers.commented import write_commented
from crossgate.importers.kind import Kind
from crossgate.importers.kinds import kind_named
from crossgate.importers.merge import MergedImport, merge_imported
from crossgate.importers.result import NO_OPTIONS, Imported, ImportOptions
from crossgate.importers.selection import with_named_apis
from crossgate.importers.source import Source
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import ReplaceAll
from crossgate.service.import_findings import with_findings_of_result
from crossgate.service.imports import import_sources, natives_of, tell_kind
from crossgate.service.permission import EVERYTHING, Permission, visible
from crossgate.service.plan import Plan
from crossgate.service.replay import TelemetryRecords
from crossgate.service.scope import Scope


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would change, and why."""

    kind: Kind
    imported: Imported
    """Everything that the document says."""
    merged: MergedImport
    document: str
    """A Crossgate document with the objects that would be added or changed, each in full.

    It also has the APIs, as they are, that its applications name: a document names no others.
    """
    plan: Plan
    """What applying that document would do."""


def plan_import(
    service: CatalogueService,
    source: Source,
    kind: str | None = None,
    options: ImportOptions = NO_OPTIONS,
    *,
    update: bool = False,
    permission: Permission = EVERYTHING,
    records: TelemetryRecords | None = None,
) -> ImportPlan:
    """The plan of importing the document into the current head, with the differences to what exists.

    Raises:
        InvalidInput: the document cannot be imported; with every reason.
        Forbidden: ``permission`` does not include what it declares, whether it exists or not.
        InvalidChange: the catalogue would be inconsistent.

    """
    found = tell_kind(source) if kind is None else kind_named(kind)
    head = service.store.head.catalogue
    readable = visible(head, permission)
    imported = import_sources(
        [source],
        found.name if found else kind,
        replace(options, existing_natives=natives_of(readable)),
        head.gateway,
    )
    assert found is not None  # noqa: S101 - import_sources raises otherwise
    if permission.limited:
        # Nothing is compared with an object that the caller cannot read.
        service.plan([_replacing(write_yaml(imported.document), permission)], permission)
    merged = with_findings_of_result(merge_imported(readable, imported, update=update))
    written = with_named_apis(merged.written, readable)
    document = write_commented(written) if written.document else write_yaml({"apis": []})
    return ImportPlan(
        found,
        imported,
        merged,
        document,
        service.plan([_replacing(document, permission)], permission, records),
    )


def _replacing(document: str, permission: Permission) -> ReplaceAll:
    reading = read_document(document)
    if reading.catalogue is None:
        raise InvalidInput(reading.diagnostics)
    return ReplaceAll(
        reading.catalogue,
        gateway=False,
        settings=reading.declares("settings"),
        listen=False,
        scope=Scope(permission),
    )
