"""Merges what an import makes with the objects that exist; pure.

An object that exists stays as it is, and its differences are listed. With ``update`` the values that the
source states replace those of the object. What the source does not state stays: owner, labels, accepted
findings, trusted domains, times, the mode; lists in which the source has nothing, such as origins; and unsafe
entries that the object has, and the import leaves out. A policy with origins of its own is a gateway's, and
says everything: methods, headers and credentials that it does not name are not allowed.
Two lists with the same entries are equal: their order decides nothing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from crossgate.catalogue.model import Api, Application, Catalogue, Settings
from crossgate.catalogue.reader import read_api, read_application, read_settings
from crossgate.catalogue.references import check_document
from crossgate.catalogue.serialise import api_to_dict, application_to_dict, settings_to_dict
from crossgate.diagnostics import Diagnostic, InvalidInput, Place, Step
from crossgate.importers.objects import ObjectType, RawObject, api_key, listed, object_path, objects_of
from crossgate.importers.result import Imported, Places
from crossgate.importers.selection import select_objects

_NOTHING: Final[Mapping[str, object]] = {
    "allowed_methods": [],
    "allow_headers": [],
    "expose_headers": [],
    "allow_credentials": False,
}


@dataclass(frozen=True, slots=True)
class ValueDifference:
    """A value that the source states, and another one that the object has."""

    path: tuple[Step, ...]
    """Within the object: ``("cors", "allowed_methods")``."""
    existing: object
    """As raw values; None if the object does not have it."""
    imported: object


@dataclass(frozen=True, slots=True)
class ExistingObject:
    """An object that an import makes, and that exists already."""

    type: ObjectType
    key: str
    """``name/version`` of an API, the name of an application, ``settings``."""
    differences: tuple[ValueDifference, ...]
    before: RawObject
    """As raw values, defaults left out."""
    after: RawObject
    """With the values of the source."""

    def as_json(self) -> dict[str, object]:
        """The object and its differences as JSON-ready values."""
        differences = [
            {"path": Place(one.path).json_path, "existing": one.existing, "imported": one.imported}
            for one in self.differences
        ]
        return {"kind": self.type, "key": self.key, "differences": differences}


@dataclass(frozen=True, slots=True)
class MergedImport:
    """What an import changes in a catalogue."""

    added: Imported
    """The objects that do not exist yet, and what was taken for them."""
    changed: tuple[ExistingObject, ...]
    """With ``update``: the objects that get values of the source."""
    kept: tuple[ExistingObject, ...]
    """The objects that stay as they are."""
    catalogue: Catalogue
    """The result."""
    written: Imported
    """The objects that are added or changed, each in full, as for ``POST /v1/apply``."""


def merge_imported(existing: Catalogue, imported: Imported, *, update: bool = False) -> MergedImport:
    """The result of adding what is imported to what exists.

    Raises:
        InvalidInput: an imported object is invalid, by itself or together with what exists; with every
            error, each at its place in the imported document.

    """
    found = [*_find_existing(existing, imported)]
    differing = {path: one for path, one in found if one.differences}
    changed = differing if update else {}
    added_paths = {path for path, _ in objects_of(imported.document)} - {path for path, _ in found}
    written = select_objects(
        imported, added_paths | changed.keys(), {path: one.after for path, one in changed.items()}
    )
    return MergedImport(
        select_objects(imported, added_paths) if changed else written,
        tuple(changed.values()),
        tuple(one for path, one in found if path not in changed),
        _read_all(existing, written),
        written,
    )


def _find_existing(
    existing: Catalogue, imported: Imported
) -> Iterable[tuple[tuple[Step, ...], ExistingObject]]:
    keys = {api_key(raw) for raw in listed(imported.document, "apis")}
    unsafe, complete = _unsafe(imported), _complete_policies(imported)
    errors: list[Diagnostic] = []
    for index, raw in enumerate(listed(imported.document, "apis")):
        api, path = existing.apis.get(api_key(raw)), ("apis", index)
        if api is not None:
            try:
                yield path, _compare_api(api, raw, unsafe[path], complete=path in complete)
            except InvalidInput as invalid:
                errors += (one.within(*path) for one in invalid.diagnostics)
    for index, raw in enumerate(listed(imported.document, "applications")):
        application, path = existing.applications.get(str(raw.get("name"))), ("applications", index)
        if application is not None:
            try:
                yield path, _compare_application(application, raw, keys)
            except InvalidInput as invalid:
                errors += (one.within(*path) for one in invalid.diagnostics)
    settings = imported.document.get("settings")
    if isinstance(settings, Mapping) and settings and existing.settings.values:
        yield ("settings",), _compare_settings(existing.settings, settings)
    if errors:
        raise _placed(errors, imported)


def _unsafe(imported: Imported) -> defaultdict[tuple[Step, ...], set[str]]:
    """The entries of policies that are left out, by the path of their API."""
    found: defaultdict[tuple[Step, ...], set[str]] = defaultdict(set)
    for one in imported.left_out:
        found[object_path(one.path)].add(_entry([one.path[-2], one.value]))
    return found


def _complete_policies(imported: Imported) -> set[tuple[Step, ...]]:
    """The paths of the APIs whose documents name origins: these are policies, and no suggestions."""
    origins = ("cors", "allowed_origins")
    return {one.path[:2] for one in imported.taken if one.path[2:4] == origins and one.place is not None}


def _compare_api(existing: Api, raw: RawObject, unsafe: set[str], *, complete: bool) -> ExistingObject:
    before = api_to_dict(existing)
    canonical = api_to_dict(read_api(raw))
    after = _take_over(before, raw, canonical)
    own, stated = before.get("cors"), raw.get("cors")
    if isinstance(own, Mapping) and isinstance(stated, Mapping):
        canonical_policy = canonical.get("cors")
        policy = _take_over(own, stated, canonical_policy if isinstance(canonical_policy, Mapping) else {})
        if complete:
            # What such a policy does not name, it does not allow.
            policy |= {key: nothing for key, nothing in _NOTHING.items() if key in own and key not in stated}
        after["cors"] = {key: _with_unsafe(key, own.get(key), new, unsafe) for key, new in policy.items()}
    return _existing("api", existing.key, before, api_to_dict(read_api(after)))


def _compare_application(existing: Application, raw: RawObject, keys: set[str]) -> ExistingObject:
    before = application_to_dict(existing)
    after = _take_over(before, raw, application_to_dict(read_application(raw)))
    if stated := raw.get("apis"):
        # The source says nothing about APIs that it does not have.
        others = [key for key in existing.apis if key not in keys]
        after["apis"] = _in_order_of(before.get("apis"), [*dict.fromkeys([*others, *_strings(stated)])])
    return _existing("application", existing.name, before, application_to_dict(read_application(after)))


def _compare_settings(existing: Settings, raw: RawObject) -> ExistingObject:
    before = settings_to_dict(existing)
    stated = {
        key: value
        for key, value in raw.items()
        if key not in before or _setting(before[key]) != _setting(value)
    }
    after = {**before, **stated}
    return _existing("settings", "settings", before, dict(sorted(after.items())))


def _take_over(before: RawObject, raw: RawObject, canonical: RawObject) -> dict[str, object]:
    """The object with what the source states; an empty value states nothing."""
    after = dict(before)
    for key, value in raw.items():
        if value is None or value == () or value == [] or (value == {} and key in before):
            continue
        after[key] = _in_order_of(before.get(key), canonical.get(key, value))
    return after


def _in_order_of(old: object, new: object) -> object:
    """The new value; a list with the entries that the old one has in its order, and the others after them."""
    if not isinstance(old, list | tuple) or not isinstance(new, list | tuple):
        return new
    wanted, known = _entries(new), _entries(old)
    stays = [one for one in old if _entry(one) in wanted]
    return [*stays, *(one for one in new if _entry(one) not in known)]


def _with_unsafe(key: str, old: object, new: object, unsafe: set[str]) -> object:
    """The list with the entries that the import leaves out, and the object has."""
    if not isinstance(old, list | tuple) or not isinstance(new, list | tuple):
        return new
    known = _entries(new)
    kept = [one for one in old if _entry([key, one]) in unsafe and _entry(one) not in known]
    return _in_order_of(old, [*new, *kept]) if kept else new


def _entries(values: Iterable[object]) -> set[str]:
    return {_entry(one) for one in values}


def _entry(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _setting(value: object) -> str:
    """A server-level setting as a string, as in a properties file."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _existing(kind: ObjectType, key: str, before: RawObject, after: RawObject) -> ExistingObject:
    return ExistingObject(kind, key, tuple(_find_differences(before, after)), before, after)


def _find_differences(
    before: RawObject, after: RawObject, path: tuple[Step, ...] = ()
) -> Iterable[ValueDifference]:
    for key in [*before, *(one for one in after if one not in before)]:
        old, new = before.get(key), after.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _find_differences(old, new, (*path, key))
        elif old != new:
            yield ValueDifference((*path, key), old, new)


def _read_all(existing: Catalogue, written: Imported) -> Catalogue:
    """The catalogue with the objects that are added or changed."""
    errors: list[Diagnostic] = []
    apis, applications = dict(existing.apis), dict(existing.applications)
    settings = existing.settings
    rows: dict[str, dict[str, tuple[Step, ...]]] = {"apis": {}, "applications": {}}
    for index, raw in enumerate(listed(written.document, "apis")):
        try:
            api = read_api(raw)
        except InvalidInput as invalid:
            errors += (one.within("apis", index) for one in invalid.diagnostics)
        else:
            apis[api.key], rows["apis"][api.key] = api, ("apis", index)
    for index, raw in enumerate(listed(written.document, "applications")):
        try:
            application = read_application(raw)
        except InvalidInput as invalid:
            errors += (one.within("applications", index) for one in invalid.diagnostics)
        else:
            name = application.name
            applications[name], rows["applications"][name] = application, ("applications", index)
    if stated := written.document.get("settings"):
        try:
            settings = read_settings(stated)
        except InvalidInput as invalid:
            errors += (one.within("settings") for one in invalid.diagnostics)
    merged = replace(existing, apis=apis, applications=applications, settings=settings)
    errors += _check_together(merged, rows)
    if errors:
        raise _placed(errors, written)
    return merged


def _check_together(
    merged: Catalogue, rows: Mapping[str, Mapping[str, tuple[Step, ...]]]
) -> Iterable[Diagnostic]:
    """The errors between objects, each placed in the imported document if its object is from there."""
    # What exists comes first: an error is that of the later object.
    apis = sorted(merged.apis.values(), key=lambda one: one.key in rows["apis"])
    applications = sorted(merged.applications.values(), key=lambda one: one.name in rows["applications"])
    raw = {
        "apis": [api_to_dict(one) for one in apis],
        "applications": [application_to_dict(one) for one in applications],
    }
    keys = {"apis": [one.key for one in apis], "applications": [one.name for one in applications]}

    def describe(place: Place) -> str:
        section, index = place.path[0], place.path[1]
        key = keys[str(section)][int(index)]
        return f"{section}: {key}" if key in rows[str(section)] else f"{section}: {key}, which exists already"

    for one in check_document(raw, describe):
        section, index, *rest = one.place.path
        own = rows[str(section)].get(keys[str(section)][int(index)])
        yield one if own is None else replace(one, place=Place((*own, *rest)))


def _placed(errors: Iterable[Diagnostic], imported: Imported) -> InvalidInput:
    """The errors at the places in the source from which their values come, as far as they are known."""
    places = Places(imported.taken)
    return InvalidInput(replace(one, place=places.nearest(one.place.path) or one.place) for one in errors)


def _strings(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []
