"""Objects out of their written form: whatever a row, a file or a request has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Final

from crossgate.catalogue.model import Api, Catalogue, Gateway
from crossgate.catalogue.plain import plain_api, plain_application, plain_gateway
from crossgate.compiler.naming import is_elsewhere
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.service.errors import InvalidChange
from crossgate.service.objects import CatalogueObject, Kind, ObjectKey, Settings, with_objects
from crossgate.service.ports import RecordedObject


def read_object(kind: Kind, written: Mapping[str, object]) -> CatalogueObject:
    """The object, if there is no error in it.

    Raises:
        InvalidInput: with every error; places are relative to the object.

    """
    plain = _plain(kind, written)
    return _read_entry(kind, written) if plain is None else plain


def _plain(kind: Kind, written: Mapping[str, object]) -> CatalogueObject | None:
    match kind:
        case Kind.GATEWAY:
            return plain_gateway(written)
        case Kind.SETTINGS:
            return Settings(written) if written == {} else None
        case Kind.API:
            return plain_api(written)
        case Kind.APPLICATION:
            return plain_application(written)


def _read_entry(kind: Kind, written: Mapping[str, object]) -> CatalogueObject:
    # Loaded when there is something that needs it.
    from crossgate.catalogue import document

    match kind:
        case Kind.GATEWAY:
            return document.read_gateway(written)
        case Kind.SETTINGS:
            return Settings(written, document.read_server_settings(written))
        case Kind.API:
            return document.read_api(written)
        case Kind.APPLICATION:
            return document.read_application(written)


def read_objects(recorded: Iterable[RecordedObject]) -> dict[ObjectKey, CatalogueObject | None]:
    """Every object, None where there was none; the gateway and the settings are then at their defaults.

    Raises:
        InvalidChange: an object cannot be read; with every error in all of them.

    """
    diagnostics: list[Diagnostic] = []
    objects = readable(recorded, diagnostics)
    if diagnostics:
        raise InvalidChange(diagnostics)
    return objects


def catalogue_of(recorded: Iterable[RecordedObject]) -> Catalogue:
    """The catalogue of these objects; raises as :func:`read_objects` does."""
    return with_objects(Catalogue(), read_objects(recorded))


def readable(
    recorded: Iterable[RecordedObject], diagnostics: list[Diagnostic]
) -> dict[ObjectKey, CatalogueObject | None]:
    """Those that can be read; what stands against the others is added to ``diagnostics``."""
    objects: dict[ObjectKey, CatalogueObject | None] = {}
    for one in recorded:
        try:
            objects[one.kind, one.key] = _read_or_default(one)
        except InvalidInput as invalid:
            diagnostics += (found.within(*_path(one)) for found in invalid.diagnostics)
    return objects


def _read_or_default(one: RecordedObject) -> CatalogueObject | None:
    if one.body is not None:
        return read_object(one.kind, one.body)
    match one.kind:
        case Kind.GATEWAY:
            return Gateway()
        case Kind.SETTINGS:
            return Settings()
        case Kind.API | Kind.APPLICATION:
            return None


def _path(one: RecordedObject) -> tuple[str, ...]:
    match one.kind:
        case Kind.GATEWAY | Kind.SETTINGS:
            return (one.kind.value,)
        case _:
            return (f"{one.kind.value}s", one.key)


BATCH_SIZE: Final = 250
"""APIs that are compiled together: some 0.05 s of work."""


def batches(catalogue: Catalogue) -> Iterator[Catalogue]:
    """The catalogue with ever more of its APIs; the last one is the whole."""
    first = [key for key, api in catalogue.apis.items() if not _lies_elsewhere(api)]
    for end in range(BATCH_SIZE, len(first), BATCH_SIZE):
        yield replace(catalogue, apis={key: catalogue.apis[key] for key in first[:end]})
    yield catalogue


def read_in_batches(others: Iterable[RecordedObject], apis: Iterable[RecordedObject]) -> Iterator[Catalogue]:
    """The catalogue of these objects, as its APIs are read; the last one is the whole.

    Raises:
        InvalidChange: at the end, if objects cannot be read; with every error in all of them.

    """
    diagnostics: list[Diagnostic] = []
    catalogue = with_objects(Catalogue(), readable(others, diagnostics))
    last: dict[ObjectKey, CatalogueObject | None] = {}
    remaining = iter(apis)
    while batch := list(islice(remaining, BATCH_SIZE)):
        first: dict[ObjectKey, CatalogueObject | None] = {}
        for key, one in readable(batch, diagnostics).items():
            (last if isinstance(one, Api) and _lies_elsewhere(one) else first)[key] = one
        catalogue = with_objects(catalogue, first)
        if not diagnostics:
            yield catalogue
    if diagnostics:
        raise InvalidChange(diagnostics)
    yield with_objects(catalogue, last)


def _lies_elsewhere(api: Api) -> bool:
    return any(map(is_elsewhere, api.endpoints))
