"""The linter's findings for objects that exist and get values of an import: of both together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from crossgate.diagnostics import Place, Step
from crossgate.importers.merge import MergedImport
from crossgate.importers.objects import SECTIONS, api_key, listed
from crossgate.importers.result import ImportFinding
from crossgate.lint.check import check_catalogue


def with_findings_of_result(merged: MergedImport) -> MergedImport:
    """The merge with findings that are about the result: what an object keeps counts, too."""
    if not merged.changed:
        return merged
    changed = dict(_changed_paths(merged))
    added = (one for one in merged.written.findings if one.path[:2] not in changed.values())
    found = [*added, *_lint(merged, changed)]
    return replace(merged, written=replace(merged.written, findings=tuple(found)))


def _changed_paths(merged: MergedImport) -> Iterator[tuple[tuple[Step, ...], tuple[Step, ...]]]:
    """The path of each changed object in the catalogue, and in the document of what is written."""
    apis = map(api_key, listed(merged.written.document, "apis"))
    applications = (one["name"] for one in listed(merged.written.document, "applications"))
    written = {"api": _numbers(apis), "application": _numbers(applications)}
    rows = {
        "api": _numbers(merged.catalogue.apis),
        "application": _numbers(merged.catalogue.applications),
    }
    for one in merged.changed:
        if one.type == "settings":
            yield ("settings",), ("settings",)
        else:
            section = SECTIONS[one.type]
            yield (section, rows[one.type][one.key]), (section, written[one.type][one.key])


def _numbers(keys: Iterable[str]) -> dict[str, int]:
    return {key: number for number, key in enumerate(keys)}


def _lint(merged: MergedImport, changed: dict[tuple[Step, ...], tuple[Step, ...]]) -> Iterator[ImportFinding]:
    places = {one.path: one.place for one in merged.written.taken}
    native_cors = dict.fromkeys(merged.written.native_cors, True)
    for one in check_catalogue(merged.catalogue, native_cors=native_cors).findings():
        path = one.diagnostic.place.path
        for length in (1, 2):
            target = changed.get(path[:length])
            if target is not None:
                own = (*target, *path[length:])
                place = places.get(own) or Place(own)
                yield ImportFinding(replace(one.diagnostic, place=place), own, one.witness, one.fix)
