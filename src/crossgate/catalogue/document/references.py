"""What must hold between the parts of a document: unique names, endpoints apart, references to what exists.

Judged on the document's plain values, so that a fault elsewhere in an API hides none of this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from crossgate.catalogue.claims import Conflict
from crossgate.catalogue.endpoint import Claim, find_conflicts, parse_endpoint
from crossgate.catalogue.model import ApiType, default_endpoint
from crossgate.diagnostics import Diagnostic, Place

# Each search for similar names reads every name, so the number of searches needs a bound.
_MAX_SUGGESTIONS: Final = 5

Entries = list[tuple[int, Mapping[str, object]]]


def find_reference_faults(root: Mapping[str, object]) -> Iterator[Diagnostic]:
    """Every fault between the parts of the document."""
    apis, applications = _entries(root, "apis"), _entries(root, "applications")
    keys = _api_keys(apis)
    yield from _find_duplicates("apis", keys, "an API with this name and version", "Change one's version")
    names = {index: name for index, entry in applications if isinstance(name := entry.get("name"), str)}
    yield from _find_duplicates("applications", names, "an application of this name", "Rename one of them")
    yield from _find_endpoint_conflicts(apis, keys)
    yield from _find_dangling(applications, set(keys.values()))


def _entries(root: Mapping[str, object], name: str) -> Entries:
    entries = root.get(name)
    if not isinstance(entries, list):
        return []
    return [(index, entry) for index, entry in enumerate(entries) if isinstance(entry, dict)]


def _api_keys(apis: Entries) -> dict[int, str]:
    return {
        index: f"{entry['name']}/{entry['version']}"
        for index, entry in apis
        if isinstance(entry.get("name"), str) and isinstance(entry.get("version"), str)
    }


def _find_duplicates(where: str, names: Mapping[int, str], what: str, remedy: str) -> Iterator[Diagnostic]:
    first: dict[str, int] = {}
    for index, name in names.items():
        earlier = first.setdefault(name, index)
        if earlier != index:
            yield Diagnostic(
                code="duplicate-name",
                message=f"{what} is already in $.{where}[{earlier}]",
                found=name,
                remedy=remedy,
                place=Place((where, index, "name")),
            )


def _find_endpoint_conflicts(apis: Entries, keys: Mapping[int, str]) -> Iterator[Diagnostic]:
    claims: list[Claim] = []
    places: list[Place] = []
    taken: set[str] = set()
    for index, entry in apis:
        key = keys.get(index, f"$.apis[{index}]")
        if key in taken:
            continue  # reported as a duplicate; its default endpoint would only say so again
        taken.add(key)
        for endpoint, place in _endpoints(index, entry):
            claims.append(Claim(endpoint, key, len(claims)))
            places.append(place)
    for claim, earlier in find_conflicts(claims):
        conflict = Conflict(claim.api, claim.endpoint, earlier.api, earlier.endpoint)
        yield conflict.diagnostic(places[claim.index])


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


def _find_dangling(applications: Entries, known: set[str]) -> Iterator[Diagnostic]:
    searches = 0
    example = f", for example {min(known)}" if known else ""
    for index, entry in applications:
        references = entry.get("apis")
        for position, key in enumerate(references if isinstance(references, list) else ()):
            if isinstance(key, str) and key not in known:
                searches += 1
                close = get_close_matches(key[:200], known, n=3) if searches <= _MAX_SUGGESTIONS else []
                yield Diagnostic(
                    code="unknown-api",
                    message="there is no such API in the document",
                    found=key,
                    remedy=_suggestion(close, example),
                    place=Place(("applications", index, "apis", position)),
                )


def _suggestion(close: list[str], example: str) -> str:
    if close:
        return f"Did you mean {' or '.join(close)}?"
    return f"Write name/version of an API that stands under apis{example}"
