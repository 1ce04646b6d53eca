"""What an import took from where, for people and as JSON."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rich.console import Console
from rich.text import Text

from crossgate.cli.output.console import print_rows, printable
from crossgate.cli.output.findings import print_findings
from crossgate.diagnostics import Diagnostic, Place, Severity, Step, count_by_severity
from crossgate.importers.merge import ExistingObject, MergedImport
from crossgate.importers.objects import ObjectType, RawObject, identify, object_path, objects_of
from crossgate.importers.result import Imported, Taken

_HEADING: Final = ("value", "", "from", "because")
_MOST_OBJECTS: Final = 50
"""Objects that are listed without ``--verbose``."""
_ORDER: Final = (Severity.INFO, Severity.WARNING, Severity.ERROR)
"""The most serious last, where a terminal shows it."""


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


def print_import(console: Console, report: ImportReport, *, verbose: bool = False) -> None:
    """Print each object, the differences of those that stay, and what was not taken over; a summary is last.

    With ``verbose``, each value has a line with its place and reason, and each place its own diagnostic.
    """
    how = "recognised" if report.guessed else "named"
    for source, kind in zip(report.imported.sources, report.imported.kinds, strict=False):
        console.print(printable(f"{source}: {kind} ({how})"))
    console.print()
    _print_written(console, report.merged, verbose=verbose)
    _print_kept(console, report.merged.kept, verbose=verbose)
    diagnostics = [*report.imported.diagnostics, *(one.diagnostic for one in report.merged.written.findings)]
    if diagnostics:
        console.print()
        shown = diagnostics if verbose else _grouped(diagnostics)
        print_findings(console, sorted(shown, key=lambda one: _ORDER.index(one.severity)))
    console.print()
    _print_summary(console, report, diagnostics)


def _print_written(console: Console, merged: MergedImport, *, verbose: bool) -> None:
    changed = {(one.type, one.key): one for one in merged.changed}
    taken: defaultdict[tuple[Step, ...], list[Taken]] = defaultdict(list)
    for value in merged.written.taken if verbose else ():
        taken[object_path(value.path)].append(value)
    objects = [*objects_of(merged.written.document)]
    shown = objects if verbose else objects[:_MOST_OBJECTS]
    for path, raw in shown:
        kind, key = identify(merged.written.document, path)
        change = changed.get((kind, key))
        what = "added" if change is None else "changed"
        _print_title(console, kind, key, f"{what} ({_summarise(kind, raw)})")
        if verbose:
            print_rows(console, _HEADING, map(_row, taken[path]))
        if change is not None:
            print_differences(console, change)
    if len(objects) > len(shown):
        console.print(f"and {len(objects) - len(shown):,} more: set --verbose to list them")


def _print_kept(console: Console, kept: Sequence[ExistingObject], *, verbose: bool) -> None:
    for one in kept:
        if one.differences:
            _print_title(console, one.type, one.key, "exists, and stays")
            print_differences(console, one)
    same = [one for one in kept if not one.differences]
    for one in same if verbose else same[:_MOST_OBJECTS]:
        _print_title(console, one.type, one.key, "exists, with the same values")
    if len(same) > _MOST_OBJECTS and not verbose:
        console.print(f"and {len(same) - _MOST_OBJECTS:,} more that exist, with the same values")


def _print_title(console: Console, kind: ObjectType, key: str, what: str) -> None:
    name = {"api": f"API {key}", "application": f"Application {key}", "settings": "Server-level settings"}
    console.print(Text(printable(f"{name[kind]}: {what}")))


def print_differences(console: Console, one: ExistingObject) -> None:
    """Print the values that the source states and those of the object."""
    for difference in one.differences:
        path = _path(difference.path)
        old, new = _shown(difference.existing), _shown(difference.imported)
        console.print(printable(f"    {path}: {old} -> {new}"))


def _summarise(kind: ObjectType, raw: RawObject) -> str:
    """What is most important about an object: ``https://pets.example.com, 2 origins, 3 methods``."""
    match kind:
        case "api":
            policy = raw.get("cors")
            if policy is None:
                return f"{raw['native']}, no policy"
            origins = _counted(policy, "allowed_origins", "origin")
            return f"{raw['native']}, {origins}, {_counted(policy, 'allowed_methods', 'method')}"
        case "application":
            return f"{_counted(raw, 'javascript_origins', 'origin')}, {_counted(raw, 'apis', 'API')}"
        case "settings":
            return f"{len(raw)} of them"


def _counted(raw: RawObject, key: str, name: str) -> str:
    count = len(raw.get(key) or ())
    return f"{count or 'no'} {name}{'' if count == 1 else 's'}"


def _grouped(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """One of those that say the same, at the first place, with the number of the others.

    Warnings about different values are different; of an info, what was found is left out then.
    """
    groups: defaultdict[Diagnostic, list[Diagnostic]] = defaultdict(list)
    for one in diagnostics:
        found = None if one.severity is Severity.INFO else one.found
        groups[replace(one, place=Place(), found=found)].append(one)
    return [
        replace(
            one,
            place=_briefly(group[0].place),
            message=one.message + _also(len({each.place for each in group}) - 1),
            found=group[0].found if len({each.found for each in group}) == 1 else None,
        )
        for one, group in groups.items()
    ]


def _briefly(place: Place) -> Place:
    """The place without its path if it has a line, which is enough to find it."""
    return place if place.line is None else replace(place, path=())


def _also(others: int) -> str:
    return f" (and at {others:,} other place{'' if others == 1 else 's'})" if others else ""


def _print_summary(console: Console, report: ImportReport, diagnostics: Sequence[Diagnostic]) -> None:
    merged = report.merged
    added = sum(1 for _ in objects_of(merged.added.document))
    counts = f"{added} added, {len(merged.changed)} changed, {len(merged.kept)} kept"
    if report.file is None:
        head = "Imported"
    else:
        head = f"{report.file}: {'written' if report.written else 'no changes'}"
    counted = f" ({count_by_severity(diagnostics)})" if diagnostics else ""
    console.print(printable(f"{head}: {counts}{counted}"))
    if any(one.differences for one in merged.kept):
        console.print("Set --update to take over the values of existing objects from the source")


def _row(taken: Taken) -> tuple[str, str, str, str]:
    inside = taken.path[len(object_path(taken.path)) :]
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
        "taken": [one.as_json() for one in written.taken],
        "left_out": [
            {**one.as_json(), "findings": [each.as_json() for each in one.findings]}
            for one in written.left_out
        ],
        "diagnostics": [one.as_json() for one in report.imported.diagnostics],
        "findings": [one.as_json() for one in written.findings],
        "changed": [one.as_json() for one in report.merged.changed],
        "kept": [one.as_json() for one in report.merged.kept],
        "file": report.file,
        "written": report.written,
    }
