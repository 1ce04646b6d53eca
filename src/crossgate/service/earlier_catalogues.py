"""Earlier states of what decides on an API's requests, from the recorded revisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from crossgate.catalogue.model import Catalogue
from crossgate.compiler.route_names import SERVER_LEVEL
from crossgate.service.errors import InvalidChange
from crossgate.service.loading import parse_objects
from crossgate.service.objects import ObjectKind, with_objects
from crossgate.service.ports import CatalogueStore, RecordedChange, RecordedObject

_MOST: Final = 100
"""Revisions that are read: 0.2 s at most."""


def earlier_catalogues(
    store: CatalogueStore,
    api: str,
    numbers: Iterable[int] | None = None,
    catalogue: Catalogue | None = None,
) -> Iterator[tuple[int, Catalogue]]:
    """The revision before each change that concerns the API, with its catalogue; the newest first.

    ``numbers`` are the revisions that can concern it, if they are known; the newest first. ``catalogue`` is
    the newest one, or a part of it that has the API.
    Other APIs are as they are now. It ends with the history, after the newest 100 revisions, or before a
    revision that this version cannot parse.
    """
    catalogue = store.head.catalogue if catalogue is None else catalogue
    for number in (one.number for one in store.revisions(limit=_MOST)) if numbers is None else numbers:
        recorded = store.revision(number)
        changes = () if recorded is None else recorded.difference
        concerned = [one for one in changes if _concerns(one, api)]
        if not concerned:
            continue
        try:
            objects = parse_objects(RecordedObject(one.kind, one.key, one.stored_before) for one in concerned)
        except InvalidChange:
            return
        catalogue = with_objects(catalogue, objects)
        yield number - 1, catalogue


def catalogue_at(store: CatalogueStore, api: str, revision: int) -> Catalogue | None:
    """The catalogue of a revision, as far as it concerns the API; None if that is not known.

    That is before the first revision, after the newest, or before the newest 100.
    """
    newest = store.head
    if not 1 <= revision <= newest.revision:
        return None
    catalogue = newest.catalogue
    if revision == newest.revision:
        return catalogue
    read = store.revisions(limit=_MOST)
    if not read or revision < read[-1].number - 1:
        return None
    for number, earlier in earlier_catalogues(store, api):
        if number < revision:
            break
        catalogue = earlier
    return catalogue


def _concerns(change: RecordedChange, api: str) -> bool:
    match change.kind:
        case ObjectKind.API:
            return change.key == api
        case ObjectKind.APPLICATION:
            return api != SERVER_LEVEL and any(
                api in _apis(side) for side in (change.before, change.after) if side is not None
            )
        case ObjectKind.GATEWAY | ObjectKind.SETTINGS:
            return True


def _apis(application: object) -> list[object]:
    apis = application.get("apis") if isinstance(application, dict) else None
    return apis if isinstance(apis, list) else []
