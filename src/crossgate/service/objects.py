"""The objects of a catalogue, by kind and key: the units of storage and of change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from crossgate.catalogue.model import Api, Application, Catalogue, Gateway, Settings
from crossgate.catalogue.serialise import (
    api_to_dict,
    application_to_dict,
    gateway_to_dict,
    settings_to_dict,
)


class ObjectKind(StrEnum):
    """The kind of an object. There is one gateway and one settings object; their key is their kind."""

    GATEWAY = "gateway"
    SETTINGS = "settings"
    API = "api"
    APPLICATION = "application"


CatalogueObject = Gateway | Settings | Api | Application
ObjectKey = tuple[ObjectKind, str]
"""Identifies one object; the key of an API is ``name/version``."""

GATEWAY_KEY: ObjectKey = (ObjectKind.GATEWAY, ObjectKind.GATEWAY.value)
SETTINGS_KEY: ObjectKey = (ObjectKind.SETTINGS, ObjectKind.SETTINGS.value)


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One object before and after, which differ; None where it does not exist."""

    kind: ObjectKind
    key: str
    before: CatalogueObject | None
    after: CatalogueObject | None


Difference = tuple[ObjectChange, ...]
"""The difference of two catalogues: sorted by kind and key, each object at most once."""


def find_object(catalogue: Catalogue, key: ObjectKey) -> CatalogueObject | None:
    """The object with that key; the gateway and the settings always exist."""
    kind, name = key
    match kind:
        case ObjectKind.GATEWAY:
            return catalogue.gateway
        case ObjectKind.SETTINGS:
            return catalogue.settings
        case ObjectKind.API:
            return catalogue.apis.get(name)
        case ObjectKind.APPLICATION:
            return catalogue.applications.get(name)


def with_objects(catalogue: Catalogue, objects: Mapping[ObjectKey, CatalogueObject | None]) -> Catalogue:
    """The catalogue with these objects put, or removed where None.

    A mapping without changes stays the same object, so that comparing catalogues is cheap.
    """
    apis, applications = dict[str, Api | None](), dict[str, Application | None]()
    gateway, settings = catalogue.gateway, catalogue.settings
    for (kind, name), found in objects.items():
        match found:
            case Gateway():
                gateway = found
            case Settings():
                settings = found
            case Api():
                apis[name] = found
            case Application():
                applications[name] = found
            case None:
                (apis if kind is ObjectKind.API else applications)[name] = None
    return Catalogue(
        gateway=gateway,
        settings=settings,
        apis=_merged(catalogue.apis, apis),
        applications=_merged(catalogue.applications, applications),
    )


_Named = TypeVar("_Named", Api, Application)


def _merged(before: Mapping[str, _Named], overlay: Mapping[str, _Named | None]) -> Mapping[str, _Named]:
    if not overlay:
        return before
    merged = dict(before)
    for name, found in overlay.items():
        if found is None:
            merged.pop(name, None)
        else:
            merged[name] = found
    return merged


def object_to_dict(found: CatalogueObject) -> dict[str, object]:
    """The object as JSON-ready values, as in documents, rows and responses; defaults are left out."""
    match found:
        case Gateway():
            return gateway_to_dict(found)
        case Settings():
            return settings_to_dict(found)
        case Api():
            return api_to_dict(found)
        case Application():
            return application_to_dict(found)
