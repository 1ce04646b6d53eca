"""Objects out of their written form: whatever a row, a file or a request has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crossgate.catalogue.model import Catalogue, Gateway
from crossgate.catalogue.plain import plain_api, plain_application, plain_gateway
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
    if one.written is not None:
        return read_object(one.kind, one.written)
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
