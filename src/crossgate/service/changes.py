"""Changes of a catalogue as data, with parsed values; and the draft that they are applied to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from crossgate.catalogue.model import Api, Application, Catalogue, Gateway, Settings
from crossgate.policy import CorsPolicy
from crossgate.service.errors import NotFound
from crossgate.service.objects import (
    GATEWAY_KEY,
    SETTINGS_KEY,
    CatalogueObject,
    Difference,
    ObjectChange,
    ObjectKey,
    ObjectKind,
    find_object,
    with_objects,
)
from crossgate.service.scope import EVERYWHERE, Scope


@dataclass(frozen=True, slots=True)
class PutApi:
    """Create the API, or replace the one with its name and version, including the policy."""

    api: Api


@dataclass(frozen=True, slots=True)
class DeleteApi:
    """Remove the API; refused while an application is associated with it."""

    key: str


@dataclass(frozen=True, slots=True)
class PutPolicy:
    """Set the policy of the API."""

    api: str
    policy: CorsPolicy


@dataclass(frozen=True, slots=True)
class RemovePolicy:
    """Remove the policy: the native service decides."""

    api: str


@dataclass(frozen=True, slots=True)
class PutApplication:
    """Create the application, or replace the one with its name."""

    application: Application


@dataclass(frozen=True, slots=True)
class DeleteApplication:
    """Remove the application, and with it its origins from its APIs."""

    name: str


@dataclass(frozen=True, slots=True)
class SuspendApplication:
    """Suspend the application: its origins are not allowed until it is resumed."""

    name: str


@dataclass(frozen=True, slots=True)
class ResumeApplication:
    """Resume the application: its origins are allowed again."""

    name: str


@dataclass(frozen=True, slots=True)
class Associate:
    """Allow the application's origins for the API too."""

    application: str
    api: str


@dataclass(frozen=True, slots=True)
class Dissociate:
    """Allow the application's origins for the API no longer."""

    application: str
    api: str


@dataclass(frozen=True, slots=True)
class PutGateway:
    """Replace the settings of the gateway."""

    gateway: Gateway


@dataclass(frozen=True, slots=True)
class PutSettings:
    """Replace the server-level settings."""

    settings: Settings


@dataclass(frozen=True, slots=True)
class ReplaceAll:
    """Put every API and application of ``desired``; with ``prune``, remove all others.

    The gateway and the settings are replaced only if the document had those sections (``gateway``,
    ``settings``), or with ``prune``: without it, a missing section changes nothing.
    """

    desired: Catalogue
    prune: bool = False
    gateway: bool = True
    settings: bool = True
    listen: bool = True
    """Whether the document names the listener's address. Otherwise it stays: to lose it by an omission would
    move the gateway away from its clients."""
    scope: Scope = EVERYWHERE
    """``prune`` removes only what is within it, and resets nothing if it is limited."""

    @property
    def sections(self) -> Mapping[ObjectKey, bool]:
        """Whether the document has the section of an object of the whole gateway."""
        return {GATEWAY_KEY: self.gateway, SETTINGS_KEY: self.settings}

    def onto(self, base: Catalogue) -> Catalogue:
        """What is desired, with the address of ``base`` if the document names none."""
        if self.listen:
            return self.desired
        gateway = replace(self.desired.gateway, listen=base.gateway.listen)
        return replace(self.desired, gateway=gateway)


@dataclass(frozen=True, slots=True)
class Restore:
    """Put these objects, and remove those that are None: a rollback to an earlier state."""

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


@dataclass(slots=True)
class Draft:
    """The objects that changes have put over ``base``; None removes."""

    base: Catalogue
    objects: dict[ObjectKey, CatalogueObject | None] = field(default_factory=dict)

    @property
    def difference(self) -> Difference:
        """The difference so far, without objects that are equal to those of ``base``."""
        return tuple(
            ObjectChange(*key, before, after)
            for key, after in sorted(self.objects.items())
            if (before := find_object(self.base, key)) != after
        )

    def catalogue(self, difference: Difference) -> Catalogue:
        """The base with the difference applied."""
        return with_objects(self.base, {(one.kind, one.key): one.after for one in difference})

    def apply(self, change: Change) -> None:  # noqa: C901 - one short case for each kind of change
        """Apply one change, on top of those before it.

        Raises:
            NotFound: it names an API or application that does not exist.

        """
        match change:
            case PutApi(api):
                self.objects[ObjectKind.API, api.key] = api
            case DeleteApi(key):
                self._api(key)
                self.objects[ObjectKind.API, key] = None
            case PutPolicy(key, policy):
                self.objects[ObjectKind.API, key] = replace(self._api(key), cors=policy)
            case RemovePolicy(key):
                self.objects[ObjectKind.API, key] = replace(self._api(key), cors=None)
            case PutApplication(application):
                self.objects[ObjectKind.APPLICATION, application.name] = application
            case DeleteApplication(name):
                self._application(name)
                self.objects[ObjectKind.APPLICATION, name] = None
            case SuspendApplication(name):
                self._put(replace(self._application(name), suspended=True))
            case ResumeApplication(name):
                self._put(replace(self._application(name), suspended=False))
            case Associate(name, key):
                application = self._application(name)
                apis = application.apis if key in application.apis else (*application.apis, key)
                self._put(replace(application, apis=apis))
            case Dissociate(name, key):
                application = self._application(name)
                if key not in application.apis:
                    raise NotFound("association", f"{name} with {key}")
                self._put(replace(application, apis=tuple(one for one in application.apis if one != key)))
            case PutGateway(gateway):
                self.objects[GATEWAY_KEY] = gateway
            case PutSettings(settings):
                self.objects[SETTINGS_KEY] = settings
            case ReplaceAll():
                self._replace_all(change)
            case Restore(objects):
                self.objects.update(objects)
            case _ as never:
                assert_never(never)

    def _replace_all(self, change: ReplaceAll) -> None:
        desired = change.onto(self.base)
        if change.prune:
            known: Iterable[ObjectKey] = (
                *((ObjectKind.API, key) for key in self.base.apis),
                *((ObjectKind.APPLICATION, name) for name in self.base.applications),
                *self.objects,
            )
            for kind, name in known:
                if change.scope.includes(self._find((kind, name))):
                    self.objects[kind, name] = None
        for key, api in desired.apis.items():
            self.objects[ObjectKind.API, key] = api
        for name, application in desired.applications.items():
            self.objects[ObjectKind.APPLICATION, name] = application
        resets = change.prune and not change.scope.limited
        if change.gateway or resets:
            self.objects[GATEWAY_KEY] = desired.gateway
        if change.settings or resets:
            self.objects[SETTINGS_KEY] = desired.settings

    def _put(self, application: Application) -> None:
        self.objects[ObjectKind.APPLICATION, application.name] = application

    def _api(self, key: str) -> Api:
        found = self._find((ObjectKind.API, key))
        if isinstance(found, Api):
            return found
        raise NotFound("API", key)

    def _application(self, name: str) -> Application:
        found = self._find((ObjectKind.APPLICATION, name))
        if isinstance(found, Application):
            return found
        raise NotFound("application", name)

    def _find(self, key: ObjectKey) -> CatalogueObject | None:
        return self.objects[key] if key in self.objects else find_object(self.base, key)
