"""Consistency between the objects of a catalogue: unique names, separate endpoints, resolved references.

The same checks serve a raw document, where an error inside an API must not hide them, and a change to a
catalogue, where they examine only what changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from crossgate.catalogue.endpoint_index import Claim, EndpointIndex
from crossgate.catalogue.model import ApiType, Application, Catalogue, default_endpoint
from crossgate.catalogue.names import parse_endpoint
from crossgate.diagnostics import Diagnostic, Place

UNKNOWN_API: Final = "unknown-api"
# Each search for similar names reads every name, so the number of searches needs a bound.
_MAX_SUGGESTIONS: Final = 5
_MAX_LISTED: Final = 5
"""Applications that are listed when an API in use is removed."""

_Entries = list[tuple[int, Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class _Reference:
    """An application's association with an API, and where it is declared."""

    api: str
    place: Place


def check_document(
    raw: Mapping[str, object], describe: Callable[[Place], str] | None = None
) -> Iterator[Diagnostic]:
    """Every error between the objects of a raw document; entries of the wrong shape are skipped.

    ``describe`` says where an object is, if messages that name a second object need more than its path.
    """
    apis, applications = _entries(raw, "apis"), _entries(raw, "applications")
    keys = _api_keys(apis)
    yield from _find_duplicates(
        "apis", keys, "an API with this name and version", "Change the version of one of them", describe
    )
    names = {index: name for index, entry in applications if isinstance(name := entry.get("name"), str)}
    yield from _find_duplicates(
        "applications", names, "an application of this name", "Rename one of them", describe
    )
    _, conflicts = EndpointIndex().replace((), _claims(apis, keys))
    yield from (conflict.diagnostic(describe) for conflict in conflicts)
    yield from _find_unknown_apis(_references(applications), set(keys.values()))


def check_change(
    index: EndpointIndex,
    before: Catalogue,
    after: Catalogue,
    apis: Sequence[str],
    applications: Sequence[str],
    named: Callable[[str], bool] = lambda _: True,
) -> Iterator[Diagnostic]:
    """Every error that a change of these APIs and applications brings to a consistent catalogue.

    ``index`` is that of ``before``. Remedies name only APIs for whose key ``named`` is true. Places are paths
    into a document whose objects are found by key: ``$.apis['petstore/1.0'].endpoints[0]``.
    """
    _, conflicts = index.advance(before.apis, after.apis, apis)
    yield from (conflict.diagnostic() for conflict in conflicts)
    changed = [after.applications[name] for name in applications if name in after.applications]
    references = (
        _Reference(key, Place(("applications", one.name, "apis", position)))
        for one in changed
        for position, key in enumerate(one.apis)
    )
    yield from _find_unknown_apis(references, after.apis.keys(), named)
    removed = {key for key in apis if key in before.apis and key not in after.apis}
    if removed:
        untouched = after.applications.keys() - set(applications)
        others = (after.applications[name] for name in untouched)
        yield from _find_still_associated(removed, others)


def _entries(raw: Mapping[str, object], section: str) -> _Entries:
    entries = raw.get(section)
    if not isinstance(entries, list):
        return []
    return [(index, entry) for index, entry in enumerate(entries) if isinstance(entry, dict)]


def _api_keys(apis: _Entries) -> dict[int, str]:
    return {
        index: f"{entry['name']}/{entry['version']}"
        for index, entry in apis
        if isinstance(entry.get("name"), str) and isinstance(entry.get("version"), str)
    }


def _find_duplicates(
    section: str,
    names: Mapping[int, str],
    what: str,
    remedy: str,
    describe: Callable[[Place], str] | None,
) -> Iterator[Diagnostic]:
    first: dict[str, int] = {}
    for index, name in names.items():
        earlier = first.setdefault(name, index)
        if earlier != index:
            place = Place((section, earlier))
            where = place.json_path if describe is None else describe(place.at("name"))
            yield Diagnostic(
                code="duplicate-name",
                message=f"{what} is already declared at {where}",
                found=name,
                remedy=remedy,
                place=Place((section, index, "name")),
            )


def _claims(apis: _Entries, keys: Mapping[int, str]) -> Iterator[Claim]:
    taken: set[str] = set()
    for index, entry in apis:
        key = keys.get(index, f"$.apis[{index}]")
        if key in taken:
            continue  # reported as a duplicate; its default endpoint would only repeat that
        taken.add(key)
        yield from (Claim(endpoint, key, place) for endpoint, place in _endpoints(index, entry))


def _endpoints(index: int, entry: Mapping[str, object]) -> Iterator[tuple[str, Place]]:
    listed = entry.get("endpoints")
    place = Place(("apis", index))
    if isinstance(listed, list) and listed:
        for position, endpoint in enumerate(listed):
            if isinstance(parsed := parse_endpoint(endpoint), str):
                yield parsed, place.at("endpoints", position)
        return
    name, version, kind = entry.get("name"), entry.get("version"), entry.get("type")
    if isinstance(name, str) and isinstance(version, str) and isinstance(kind, str) and kind in set(ApiType):
        default = default_endpoint(ApiType(kind), name, version)
        if isinstance(parsed := parse_endpoint(default), str):
            yield parsed, place.at("name")


def _references(applications: _Entries) -> Iterator[_Reference]:
    for index, entry in applications:
        listed = entry.get("apis")
        for position, key in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(key, str):
                yield _Reference(key, Place(("applications", index, "apis", position)))


def _find_unknown_apis(
    references: Iterable[_Reference], known: Collection[str], named: Callable[[str], bool] = lambda _: True
) -> Iterator[Diagnostic]:
    unknown = [reference for reference in references if reference.api not in known]
    suggested = list(filter(named, known)) if unknown else []
    example = f", for example {min(suggested)}" if suggested else ""
    for number, reference in enumerate(unknown):
        close = get_close_matches(reference.api[:200], suggested, n=3) if number < _MAX_SUGGESTIONS else []
        yield Diagnostic(
            code=UNKNOWN_API,
            message="API not found",
            found=reference.api,
            remedy=f"Did you mean {' or '.join(close)}?"
            if close
            else f"Write name/version of an API{example}",
            place=reference.place,
        )


def _find_still_associated(removed: set[str], applications: Iterable[Application]) -> Iterator[Diagnostic]:
    users: dict[str, list[str]] = {}
    for application in applications:
        for key in removed.intersection(application.apis):
            users.setdefault(key, []).append(application.name)
    for key, names in sorted(users.items()):
        more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
        yield Diagnostic(
            code="api-in-use",
            message="the API has associated applications",
            found=", ".join(sorted(names)[:_MAX_LISTED]) + more,
            remedy="Remove the API from these applications first",
            place=Place(("apis", key)),
        )
