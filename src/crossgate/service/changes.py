"""Changes to a catalogue, as data: what to do, with values that are already right in themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crossgate.catalogue.model import Api, Application, Catalogue, Gateway
from crossgate.policy import CorsPolicy
from crossgate.service.objects import CatalogueObject, ObjectKey, Settings


@dataclass(frozen=True, slots=True)
class PutApi:
    """Create the API, or replace the one of its name and version, policy included."""

    api: Api


@dataclass(frozen=True, slots=True)
class DeleteApi:
    """Remove the API; refused while an application is associated with it."""

    key: str


@dataclass(frozen=True, slots=True)
class PutPolicy:
    """Give the API this policy."""

    api: str
    policy: CorsPolicy


@dataclass(frozen=True, slots=True)
class RemovePolicy:
    """Let everything pass through to the API's native service."""

    api: str


@dataclass(frozen=True, slots=True)
class PutApplication:
    """Create the application, or replace the one of its name."""

    application: Application


@dataclass(frozen=True, slots=True)
class DeleteApplication:
    """Remove the application, and with it its origins from all its APIs."""

    name: str


@dataclass(frozen=True, slots=True)
class SuspendApplication:
    """Let the application's origins count for nothing until it is resumed."""

    name: str


@dataclass(frozen=True, slots=True)
class ResumeApplication:
    """Let the application's origins count again."""

    name: str


@dataclass(frozen=True, slots=True)
class Associate:
    """Let the application's origins count for the API too."""

    application: str
    api: str


@dataclass(frozen=True, slots=True)
class Dissociate:
    """Let the application's origins no longer count for the API."""

    application: str
    api: str


@dataclass(frozen=True, slots=True)
class PutGateway:
    """Replace the gateway's own settings."""

    gateway: Gateway


@dataclass(frozen=True, slots=True)
class PutSettings:
    """Replace all settings."""

    settings: Settings


@dataclass(frozen=True, slots=True)
class ReplaceAll:
    """Put every API and application of ``desired``; with ``prune``, remove what is not in it.

    The gateway's own settings and the server's are replaced only where ``desired`` was written with them
    (``gateway``, ``settings``), or with ``prune``: leaving a section out of a document removes nothing.
    """

    desired: Catalogue
    prune: bool = False
    gateway: bool = True
    settings: bool = True


@dataclass(frozen=True, slots=True)
class Restore:
    """Put exactly these objects, and remove those that are None: a state that was there before."""

    objects: Mapping[ObjectKey, CatalogueObject | None]


Change = (
    PutApi
    | DeleteApi
    | PutPolicy
    | RemovePolicy
    | PutApplication
    | DeleteApplication
    | SuspendApplication
    | ResumeApplication
    | Associate
    | Dissociate
    | PutGateway
    | PutSettings
    | ReplaceAll
    | Restore
)
