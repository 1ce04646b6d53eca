"""Parses stored objects, and builds the catalogue from them: at once, or in batches while it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Final

from crossgate.catalogue.model import Api, Catalogue, Gateway, Settings
from crossgate.catalogue.reader import read_api, read_application, read_gateway, read_settings
from crossgate.compiler.names import outside_default_roots
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.service.errors import InvalidChange
from crossgate.service.objects import CatalogueObject, ObjectKey, ObjectKind, with_objects
from crossgate.service.ports import RecordedObject

BATCH_SIZE: Final = 250
"""APIs that are compiled together: about 0.05 s of work."""


def parse_object(kind: ObjectKind, raw: Mapping[str, object]) -> CatalogueObject:
    """The object with these JSON-ready values.

    Raises:
        InvalidInput: with every error; places are relative to the object.

    """
    match kind:
        case ObjectKind.GATEWAY:
            return read_gateway(raw)
        case ObjectKind.SETTINGS:
            return read_settings(raw)
        case ObjectKind.API:
            return read_api(raw)
        case ObjectKind.APPLICATION:
            return read_application(raw)


def parse_objects(recorded: Iterable[RecordedObject]) -> dict[ObjectKey, CatalogueObject | None]:
    """The objects by key. Without a body, the gateway and the settings have their defaults, others are None.

    Raises:
        InvalidChange: with every error in every object.

    """
    diagnostics: list[Diagnostic] = []
    objects = _parse_valid(recorded, diagnostics)
    if diagnostics:
        raise InvalidChange(diagnostics)
    return objects


def load_catalogue(recorded: Iterable[RecordedObject]) -> Catalogue:
    """The catalogue of these objects; raises as :func:`parse_objects` does."""
    return with_objects(Catalogue(), parse_objects(recorded))


def load_in_batches(others: Iterable[RecordedObject], apis: Iterable[RecordedObject]) -> Iterator[Catalogue]:
    """Growing parts of the catalogue of these objects, while ``apis`` is iterated; the last is complete.

    Raises:
        InvalidChange: at the end, with every error in every object.

    """
    diagnostics: list[Diagnostic] = []
    catalogue = with_objects(Catalogue(), _parse_valid(others, diagnostics))
    last: dict[ObjectKey, CatalogueObject | None] = {}
    remaining = iter(apis)
    while batch := list(islice(remaining, BATCH_SIZE)):
        first: dict[ObjectKey, CatalogueObject | None] = {}
        for key, one in _parse_valid(batch, diagnostics).items():
            (last if isinstance(one, Api) and _shares_scope(one) else first)[key] = one
        catalogue = with_objects(catalogue, first)
        if not diagnostics:
            yield catalogue
    if diagnostics:
        raise InvalidChange(diagnostics)
    yield with_objects(catalogue, last)


def batches(catalogue: Catalogue) -> Iterator[Catalogue]:
    """Growing parts of the catalogue; the last is the whole."""
    first = [key for key, api in catalogue.apis.items() if not _shares_scope(api)]
    for end in range(BATCH_SIZE, len(first), BATCH_SIZE):
        yield replace(catalogue, apis={key: catalogue.apis[key] for key in first[:end]})
    yield catalogue


def _shares_scope(api: Api) -> bool:
    # Endpoints outside the default roots share one scope. Each batch would compile it anew, so they come
    # last.
    return any(map(outside_default_roots, api.endpoints))


def _parse_valid(
    recorded: Iterable[RecordedObject], diagnostics: list[Diagnostic]
) -> dict[ObjectKey, CatalogueObject | None]:
    """The valid objects; the errors of the others are added to ``diagnostics``."""
    objects: dict[ObjectKey, CatalogueObject | None] = {}
    for one in recorded:
        try:
            objects[one.kind, one.key] = _parse_or_default(one)
        except InvalidInput as invalid:
            diagnostics += (found.within(*_path(one)) for found in invalid.diagnostics)
    return objects


def _parse_or_default(one: RecordedObject) -> CatalogueObject | None:
    body = one.body
    if body is not None:
        return parse_object(one.kind, body)
    match one.kind:
        case ObjectKind.GATEWAY:
            return Gateway()
        case ObjectKind.SETTINGS:
            return Settings()
        case ObjectKind.API | ObjectKind.APPLICATION:
            return None


def _path(one: RecordedObject) -> tuple[str, ...]:
    match one.kind:
        case ObjectKind.GATEWAY | ObjectKind.SETTINGS:
            return (one.kind.value,)
        case ObjectKind.API | ObjectKind.APPLICATION:
            return (f"{one.kind.value}s", one.key)
