"""What an import took from where, for people and as JSON."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from crossgate.cli.output.console import print_rows, printable
from crossgate.cli.output.findings import print_findings
from crossgate.diagnostics import Diagnostic, Place, Step, count_by_severity
from crossgate.importers.merge import ExistingObject, MergedImport
from crossgate.importers.result import Imported, ImportFinding, LeftOut, Taken

_HEADING = ("value", "", "from", "because")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """An import and what became of it."""

    imported: Imported
    merged: MergedImport
    guessed: bool
    """Whether the kinds were recognised, and not named."""
    file: str | None
    """The file that was to be written."""
    written: bool


def print_import(console: Console, report: ImportReport) -> None:
    """Print what was taken over for each object, what was not, and what exists already."""
    how = "recognised" if report.guessed else "named"
    for source, kind in zip(report.imported.sources, report.imported.kinds, strict=False):
        console.print(printable(f"{source}: {kind} ({how})"))
    changed = {(str(one.type), one.key): one for one in report.merged.changed}
    for title, kind, key, taken in _objects(report.merged.written):
        console.print()
        change = changed.get((kind, key))
        what = "added" if change is None else "changed"
        console.print(Text(printable(f"{title}: {what}"), "bold"))
        print_rows(console, _HEADING, (_row(one) for one in taken))
        print_differences(console, [] if change is None else [change])
    for one in report.merged.kept:
        console.print()
        stays = "exists, and stays" if one.differences else "exists, with the same values"
        console.print(Text(printable(f"{_title(one.type, one.key)}: {stays}"), "bold"))
        print_differences(console, [one])
    diagnostics = [*report.imported.diagnostics, *(one.diagnostic for one in report.merged.written.findings)]
    if diagnostics:
        console.print()
        print_findings(console, diagnostics)
    console.print()
    _print_summary(console, report, diagnostics)


def print_differences(console: Console, objects: Iterable[ExistingObject]) -> None:
    """Print the values that the source states and those of the objects."""
    for one in objects:
        for difference in one.differences:
            path = _path(difference.path)
            old, new = _shown(difference.existing), _shown(difference.imported)
            console.print(printable(f"    {path}: {old} -> {new}"))


def _print_summary(console: Console, report: ImportReport, diagnostics: Sequence[Diagnostic]) -> None:
    merged = report.merged
    added = sum(len(one) if isinstance(one, list) else 1 for one in merged.added.document.values())
    counts = f"{added} added, {len(merged.changed)} changed, {len(merged.kept)} kept"
    if report.file is None:
        head = "Imported"
    else:
        head = f"{report.file}: {'written' if report.written else 'no changes'}"
    counted = f" ({count_by_severity(diagnostics)})" if diagnostics else ""
    console.print(printable(f"{head}: {counts}{counted}"))
    if any(one.differences for one in merged.kept):
        console.print("Set --update to take over the values of existing objects from the source")


def _objects(imported: Imported) -> Iterable[tuple[str, str, str, list[Taken]]]:
    """Title, kind and key of each object, with what was taken for it."""
    by_object: defaultdict[tuple[Step, ...], list[Taken]] = defaultdict(list)
    for one in imported.taken:
        by_object[one.path[:1] if one.path[0] == "settings" else one.path[:2]].append(one)
    for section, value in imported.document.items():
        entries: list[tuple[int | None, Any]] = [(None, value)]
        if isinstance(value, list):
            entries = [*enumerate(value)]
        for index, raw in entries:
            path: tuple[Step, ...] = (section,) if index is None else (section, index)
            kind, key = _identity(section, raw)
            yield _title(kind, key), kind, key, by_object[path]


def _identity(section: str, raw: Mapping[str, Any]) -> tuple[str, str]:
    match section:
        case "apis":
            return "api", f"{raw['name']}/{raw['version']}"
        case "applications":
            return "application", str(raw["name"])
        case _:
            return section, section


def _title(kind: str, key: str) -> str:
    return {"api": f"API {key}", "application": f"Application {key}"}.get(kind, "Server-level settings")


def _row(taken: Taken) -> tuple[str, str, str, str]:
    inside = taken.path[1:] if taken.path[0] == "settings" else taken.path[2:]
    steps = inside[:-1] if inside and isinstance(inside[-1], int) else inside
    more = f" ({taken.places} places)" if taken.places > 1 else ""
    place = "" if taken.place is None else str(taken.place)
    return _path(steps), _shown(taken.value), place, f"{taken.reason}{more}"


def _path(steps: Iterable[Step]) -> str:
    return ".".join(map(str, steps))


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def import_as_json(report: ImportReport) -> dict[str, object]:
    """The import as JSON-ready values; paths are those in ``document``."""
    written = report.merged.written
    return {
        "sources": [
            {"name": name, "kind": kind, "guessed": report.guessed}
            for name, kind in zip(report.imported.sources, report.imported.kinds, strict=False)
        ],
        "document": written.document,
        "taken": [_origin(one) for one in written.taken],
        "left_out": [
            {**_origin(one), "findings": [_finding(each) for each in one.findings]}
            for one in written.left_out
        ],
        "diagnostics": [one.as_json() for one in report.imported.diagnostics],
        "findings": [_finding(one) for one in written.findings],
        "changed": [one.as_json() for one in report.merged.changed],
        "kept": [one.as_json() for one in report.merged.kept],
        "file": report.file,
        "written": report.written,
    }


def _origin(one: Taken | LeftOut) -> dict[str, object]:
    place = one.place or Place()
    return {
        "path": Place(one.path).json_path,
        "value": one.value,
        "reason": one.reason,
        "places": one.places,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "source_path": place.json_path if place.path else None,
    }


def _finding(one: ImportFinding) -> dict[str, object]:
    path = Place(one.path).json_path
    return {**one.diagnostic.as_json(), "document_path": path, "witness": one.witness, "fix": one.fix}
