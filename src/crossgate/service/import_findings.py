"""The linter's findings for objects that exist and get values of an import: of both together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from crossgate.catalogue.model import Catalogue
from crossgate.diagnostics import Place, Step
from crossgate.importers.merge import MergedImport
from crossgate.importers.objects import SECTIONS, identify, object_path, objects_of
from crossgate.importers.result import ImportFinding
from crossgate.lint.check import check_catalogue

_Path = tuple[Step, ...]


def with_findings_of_result(merged: MergedImport) -> MergedImport:
    """The merge with findings that are about the result: what an object keeps counts, too."""
    if not merged.changed:
        return merged
    changed = {(one.type, one.key) for one in merged.changed}
    document = merged.written.document
    paths = {
        named: path for path, _ in objects_of(document) if (named := identify(document, path)) in changed
    }
    replaced = set(paths.values())
    added = (one for one in merged.written.findings if object_path(one.path) not in replaced)
    targets = {
        (SECTIONS[kind], "" if kind == "settings" else key): path for (kind, key), path in paths.items()
    }
    found = [*added, *_lint(merged, targets)]
    return replace(merged, written=replace(merged.written, findings=tuple(found)))


def _lint(merged: MergedImport, targets: Mapping[tuple[str, str], _Path]) -> Iterator[ImportFinding]:
    """The findings of the changed objects, which are named as the linter does."""
    places = {one.path: one.place for one in merged.written.taken}
    native_cors = dict.fromkeys(merged.written.native_cors, True)
    found = check_catalogue(_around(merged), native_cors=native_cors).by_object()
    for named, path in targets.items():
        for one in found.get(named, ()):
            own = (*path, *one.diagnostic.place.path)
            diagnostic = replace(one.diagnostic, place=places.get(own) or Place(own))
            yield ImportFinding(diagnostic, own, one.witness, one.fix)


def _around(merged: MergedImport) -> Catalogue:
    """The changed objects, and what their findings depend on: an import changes few of thousands."""
    result = merged.catalogue
    keys = {kind: {one.key for one in merged.changed if one.type == kind} for kind in SECTIONS}
    applications = {
        name: one
        for name, one in result.applications.items()
        if name in keys["application"] or not keys["api"].isdisjoint(one.apis)
    }
    apis = keys["api"].union(*(result.applications[name].apis for name in keys["application"]))
    return replace(
        result,
        apis={key: one for key, one in result.apis.items() if key in apis},
        applications=applications,
    )
