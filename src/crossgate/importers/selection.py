"""A part of an import: some of its objects, with what was taken, left out and found for them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from crossgate.catalogue.model import Catalogue
from crossgate.catalogue.serialise import api_to_dict
from crossgate.diagnostics import Step
from crossgate.importers.objects import api_key, listed
from crossgate.importers.result import Imported, Taken


def select_objects(
    imported: Imported,
    paths: set[tuple[Step, ...]],
    changed: Mapping[tuple[Step, ...], Mapping[str, object]] | None = None,
) -> Imported:
    """The import with the objects at these paths only, some of them in place of what was imported."""
    replaced = changed or {}
    document: dict[str, object] = {}
    moved: dict[tuple[Step, ...], tuple[Step, ...]] = {}
    for section, value in imported.document.items():
        if isinstance(value, list | tuple):
            chosen = [index for index in range(len(value)) if (section, index) in paths]
            moved |= {(section, old): (section, new) for new, old in enumerate(chosen)}
            entries = [replaced.get((section, index), value[index]) for index in chosen]
            if entries:
                document[section] = entries
        elif (section,) in paths:
            moved[section,] = (section,)
            document[section] = replaced.get((section,), value)
    indices = _Indices(document)
    taken = (_move(one, moved, indices) for one in imported.taken)
    left_out = ((one, _moved(one.path, moved)) for one in imported.left_out)
    findings = ((one, _moved(one.path, moved)) for one in imported.findings)
    return replace(
        imported,
        document=document,
        taken=tuple(one for one in taken if one is not None),
        left_out=tuple(replace(one, path=path) for one, path in left_out if path is not None),
        findings=tuple(replace(one, path=path) for one, path in findings if path is not None),
    )


def _moved(
    path: tuple[Step, ...], moved: Mapping[tuple[Step, ...], tuple[Step, ...]]
) -> tuple[Step, ...] | None:
    """The path in a document with other objects; None if its object is not in it."""
    for length in (1, 2):
        target = moved.get(path[:length])
        if target is not None:
            return (*target, *path[length:])
    return None


class _Indices:
    """The indices of the entries of the document's lists."""

    def __init__(self, document: Mapping[str, object]) -> None:
        self._document = document
        self._lists: dict[tuple[Step, ...], dict[str, int] | None] = {}

    def of(self, path: tuple[Step, ...]) -> Mapping[str, int] | None:
        """The first index of each value in the list at the path; None if the value there is not a list."""
        if path not in self._lists:
            found = _at(self._document, path)
            entries = found if isinstance(found, list | tuple) else None
            self._lists[path] = None if entries is None else _first_indices(entries)
        return self._lists[path]


def _first_indices(entries: Sequence[object]) -> dict[str, int]:
    indices: dict[str, int] = {}
    for index, one in enumerate(entries):
        indices.setdefault(json.dumps(one, sort_keys=True), index)
    return indices


def _move(
    taken: Taken, moved: Mapping[tuple[Step, ...], tuple[Step, ...]], indices: _Indices
) -> Taken | None:
    """What was taken, with its path in a document with other objects; None if it has no such value."""
    path = _moved(taken.path, moved)
    if path is None or len(path) <= 2 or (entries := indices.of(path[:-1])) is None:
        return None if path is None else replace(taken, path=path)
    index = entries.get(json.dumps(taken.value, sort_keys=True))
    return None if index is None else replace(taken, path=(*path[:-1], index))


def _at(node: object, path: Iterable[Step]) -> object:
    for step in path:
        if isinstance(node, Mapping):
            node = node.get(step)
        elif isinstance(node, list | tuple) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            return None
    return node


def with_named_apis(written: Imported, existing: Catalogue) -> Imported:
    """The import, and after its APIs those that exist and that its applications name, as they are.

    A document that is applied has every API that its applications name.
    """
    apis = listed(written.document, "apis")
    known = {api_key(raw) for raw in apis}
    applications = listed(written.document, "applications")
    named = {str(key): None for one in applications for key in listed(one, "apis")}
    others = [api_to_dict(existing.apis[key]) for key in named if key in existing.apis and key not in known]
    return replace(written, document={**written.document, "apis": [*apis, *others]}) if others else written
