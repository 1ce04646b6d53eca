"""Imports of documents: their kind is recognised, objects are built, and what is unsafe is left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from crossgate.catalogue.model import Catalogue, Gateway
from crossgate.catalogue.reader import merge_sections, read_sections, refuse_files
from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Severity, Step
from crossgate.importers.build import build, has_errors, join_contents
from crossgate.importers.found import Contents
from crossgate.importers.kind import Kind
from crossgate.importers.kinds import KINDS, kind_named
from crossgate.importers.leave_out import leave_out
from crossgate.importers.limits import refuse_excess
from crossgate.importers.looks import describe_source, remedy_for
from crossgate.importers.objects import identify, object_path
from crossgate.importers.result import NO_OPTIONS, Imported, ImportFinding, ImportOptions, Places
from crossgate.importers.settings import ENABLED, find_unusable_settings
from crossgate.importers.source import Source
from crossgate.lint.check import CatalogueFindings, check_catalogue
from crossgate.lint.rule import Finding


def import_sources(
    sources: Sequence[Source],
    kind: str | None = None,
    options: ImportOptions = NO_OPTIONS,
    gateway: Gateway | None = None,
) -> Imported:
    """The objects that the documents declare together, without entries that have lint errors.

    ``kind`` names the kind of all documents; None for the one that recognises each. The linter counts with
    what ``gateway`` says about domains and headers.

    Raises:
        InvalidInput: with every diagnostic, if one of them is an error.

    """
    kinds = [_kind_of(source, kind) for source in sources]
    contents: list[Contents] = []
    errors: list[Diagnostic] = []
    for source, one in zip(sources, kinds, strict=True):
        try:
            contents.append(one.read(source))
        except InvalidInput as invalid:
            errors += invalid.diagnostics
    if errors:
        raise InvalidInput(errors)
    refuse_excess(sum(len(one.apis) for one in contents), "APIs", Place(file=sources[0].name))
    imported = build(
        join_contents(contents),
        options,
        kinds=[one.name for one in kinds],
        sources=[one.name for one in sources],
    )
    imported = replace(imported, diagnostics=tuple(_with_owners(imported)))
    if has_errors(imported.diagnostics):
        raise InvalidInput(imported.diagnostics)
    return _without_errors(imported, gateway or Gateway())


def natives_of(existing: Catalogue) -> dict[str, str]:
    """The native service of each API that exists: a document that names none does not change it."""
    return {key: str(api.native) for key, api in existing.apis.items()}


def tell_kind(source: Source) -> Kind:
    """The first kind that recognises the document; raises InvalidInput if none does."""
    found = next((one for one in KINDS if one.recognises(source)), None)
    if found is not None:
        return found
    looks = describe_source(source)
    raise InvalidInput(
        [
            Diagnostic(
                "kind-unknown",
                f"the kind of document is unknown: it looks like {looks}",
                remedy_for(looks) or f"Name its kind if it is one of these: {_kind_names()}",
                Place(file=source.name),
            )
        ]
    )


def _kind_of(source: Source, name: str | None) -> Kind:
    if name is None:
        return tell_kind(source)
    found = kind_named(name)
    if found is not None:
        return found
    raise InvalidInput(
        [
            Diagnostic(
                "kind-unknown",
                "no kind of document has this name",
                f"Use one of these: {_kind_names()}",
                found=name,
            )
        ]
    )


def _kind_names() -> str:
    return ", ".join(f"{one.name} ({one.title})" for one in KINDS)


def _with_owners(imported: Imported) -> Iterator[Diagnostic]:
    """The diagnostics; those in a part of a document that is about one object alone name the object.

    The files of an archive have only ids in their names.
    """
    owners: defaultdict[str | None, set[tuple[Step, ...]]] = defaultdict(set)
    for taken in imported.taken:
        if taken.place is not None and taken.place.file not in imported.sources:
            owners[taken.place.file].add(object_path(taken.path))
    for one in imported.diagnostics:
        paths = owners.get(one.place.file, set())
        if one.severity is Severity.INFO or len(paths) != 1:
            yield one
            continue
        kind, key = identify(imported.document, *paths)
        title = {"api": f"API {key}", "application": f"application {key}"}.get(kind, key)
        yield replace(one, message=f"{title}: {one.message}")


def _without_errors(imported: Imported, gateway: Gateway) -> Imported:
    """The import without the entries that have lint errors, and with the other findings."""
    known: CatalogueFindings | None = None
    native_cors = dict.fromkeys(imported.native_cors, True)
    while True:
        known = check_catalogue(_read(imported.document, gateway), known, native_cors=native_cors)
        places = Places(imported.taken)
        findings = [_placed(one, imported, places) for one in known.findings()]
        errors = [one for one in findings if one.diagnostic.severity is Severity.ERROR]
        if not errors:
            return replace(imported, findings=tuple(findings))
        entries: dict[tuple[Step, ...], list[ImportFinding]] = {}
        for one in errors:
            if not isinstance(_entry(one.path)[-1], int):
                # No rule has an error about a whole policy.
                raise InvalidInput([*imported.diagnostics, one.diagnostic])
            entries.setdefault(_entry(one.path), []).append(one)
        imported = leave_out(imported, entries)
        enabled = Places(imported.taken).nearest(("settings", ENABLED))
        unusable = find_unusable_settings(imported.document.get("settings"), enabled)
        if unusable is not None:
            raise InvalidInput([*imported.diagnostics, unusable])


def _read(document: Mapping[str, object], gateway: Gateway) -> Catalogue:
    sections, errors = read_sections(document, None, refuse_files)
    if sections is None:
        raise InvalidInput(errors)
    catalogue = merge_sections([sections], gateway=None, settings=sections)
    return replace(catalogue, gateway=gateway)


def _entry(path: tuple[Step, ...]) -> tuple[Step, ...]:
    """The path of the list's entry in which a finding is."""
    last = max((at for at, step in enumerate(path) if isinstance(step, int)), default=-1)
    return path[: last + 1] if last > 1 else path


def _placed(finding: Finding, imported: Imported, places: Places) -> ImportFinding:
    """The finding with its place in the documents: of the value that it is about, or of the nearest one."""
    path = finding.diagnostic.place.path
    place = _native_cors_place(path, imported) if finding.diagnostic.code == "native-also-cors" else None
    place = place or places.nearest(path) or finding.diagnostic.place
    diagnostic = replace(finding.diagnostic, place=place)
    return ImportFinding(diagnostic, path, finding.witness, finding.fix)


def _native_cors_place(path: tuple[Step, ...], imported: Imported) -> Place | None:
    apis = imported.document.get("apis")
    if not isinstance(apis, list) or not isinstance(path[1], int):
        return None
    api = apis[path[1]]
    return imported.native_cors[f"{api['name']}/{api['version']}"].place
