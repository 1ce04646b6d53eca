"""Takes entries out of the lists of an imported document, and keeps them for its comments."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, cast

from crossgate.diagnostics import Diagnostic, Place, Severity, Step
from crossgate.importers.result import Imported, ImportFinding, LeftOut, Taken


def leave_out(imported: Imported, entries: Mapping[tuple[Step, ...], Sequence[ImportFinding]]) -> Imported:
    """The import without these entries of lists, each with a warning that says what is wrong with it."""
    document = cast("dict[str, object]", deepcopy(imported.document))
    removed: defaultdict[tuple[Step, ...], list[int]] = defaultdict(list)
    for path in entries:
        insort(removed[path[:-1]], int(path[-1]))
    taken_at = {one.path: one for one in imported.taken}
    left_out = [_moved_left_out(one, removed) for one in imported.left_out]
    diagnostics = list(imported.diagnostics)
    for path, findings in entries.items():
        taken = taken_at[path]
        index = int(path[-1])
        before = index - bisect_left(removed[path[:-1]], index)
        left_out.append(
            LeftOut(
                (*path[:-1], before), taken.value, taken.reason, taken.place, taken.places, tuple(findings)
            )
        )
        diagnostics.append(_warning(taken, findings))
    for path, indices in removed.items():
        node: Any = document
        for step in path:
            node = node[step]
        for index in reversed(indices):
            del node[index]
    return replace(
        imported,
        document=document,
        taken=tuple(
            replace(one, path=_moved(one.path, removed)) for one in imported.taken if one.path not in entries
        ),
        diagnostics=tuple(diagnostics),
        left_out=tuple(sorted(left_out, key=lambda one: tuple(map(str, one.path[:-1])))),
    )


def _moved(path: tuple[Step, ...], removed: Mapping[tuple[Step, ...], Sequence[int]]) -> tuple[Step, ...]:
    indices = removed.get(path[:-1])
    if not indices:
        return path
    return (*path[:-1], int(path[-1]) - bisect_left(indices, int(path[-1])))


def _moved_left_out(one: LeftOut, removed: Mapping[tuple[Step, ...], Sequence[int]]) -> LeftOut:
    return replace(one, path=_moved(one.path, removed))


def _warning(taken: Taken, findings: Sequence[ImportFinding]) -> Diagnostic:
    """What is wrong with the entry, the attacking origin, and the verified fix."""
    first = findings[0]
    codes = ", ".join(dict.fromkeys(one.diagnostic.code for one in findings))
    message = f"left out for an error of the linter ({codes}): {first.diagnostic.message}"
    witness = next((one.witness for one in findings if one.witness is not None), None)
    if witness is not None and witness not in message:
        message += f"; it admits {witness}"
    fix = next((one.fix for one in findings if one.fix is not None), None)
    remedy = first.diagnostic.remedy if fix is None else f"Use the expression {fix} instead"
    place = taken.place or Place(file=taken.reason)
    return Diagnostic("left-out", message, remedy, place, first.diagnostic.found, Severity.WARNING)
