"""What a token permits: a role, and optionally the APIs that it is limited to.

The limit holds for reading and for writing alike. A caller can change an application that is associated with
at least one API, and with none outside of the limit: all these APIs allow its origins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from crossgate.catalogue.model import Api, Application, Catalogue
from crossgate.catalogue.names import NAME_PATTERN
from crossgate.diagnostics import Diagnostic, Place
from crossgate.service.errors import Forbidden
from crossgate.service.objects import CatalogueObject, ObjectKey, ObjectKind, find_object

_API_NAMES: Final = re.compile(rf"(?:{NAME_PATTERN}|{NAME_PATTERN}\*|\*)")


class Role(StrEnum):
    """What a token permits; each role includes those before it."""

    VIEWER = "viewer"
    """Read everything but tokens."""
    EDITOR = "editor"
    """Change APIs, policies and applications."""
    ADMIN = "admin"
    """Change the gateway and the settings too; create and revoke tokens."""

    def includes(self, other: Role) -> bool:
        """Whether this role permits all that ``other`` permits."""
        roles = list(Role)
        return roles.index(self) >= roles.index(other)


def find_limit_errors(names: Iterable[str], role: Role) -> Iterator[Diagnostic]:
    """Why the names cannot limit a token with this role; places are relative to a token's fields."""
    listed = tuple(names)
    for index, name in enumerate(listed):
        if _API_NAMES.fullmatch(name) is None:
            yield Diagnostic(
                code="token-apis-invalid",
                message="not a name of APIs, or the beginning of one followed by *",
                remedy="Write one name, such as team-a-* or petstore, without a version; repeat it for more",
                found=name[:100],
                place=Place(("apis", index)),
            )
    if listed and role is Role.ADMIN:
        yield Diagnostic(
            code="token-admin-limited",
            message="an admin cannot be limited to some APIs: it could create another token",
            remedy="Choose the role editor or viewer, or leave the APIs out",
            found=", ".join(listed)[:100],
            place=Place(("apis",)),
        )


@dataclass(frozen=True, slots=True)
class Permission:
    """What a caller can read and change."""

    role: Role = Role.ADMIN
    apis: tuple[str, ...] = ()
    """Names of APIs; one that ends with ``*`` stands for all names that begin so. Empty: all APIs."""

    @property
    def limited(self) -> bool:
        """Whether some APIs are out of reach."""
        return bool(self.apis)

    def covers_api(self, key: str) -> bool:
        """Whether the API with that key is within the limit."""
        name = key.partition("/")[0]
        return not self.apis or any(
            name.startswith(one[:-1]) if one.endswith("*") else name == one for one in self.apis
        )

    def covers(self, found: CatalogueObject) -> bool:
        """Whether the caller can change the object, if its role includes writing at all."""
        match found:
            case Api():
                return self.covers_api(found.key)
            case Application():
                return not self.apis or (bool(found.apis) and all(map(self.covers_api, found.apis)))
            case _:
                return self.role is Role.ADMIN

    def require(self, base: Catalogue, objects: Mapping[ObjectKey, CatalogueObject | None]) -> None:
        """Return if the caller can put these objects over ``base``; None removes one.

        An object of the whole gateway may be put unchanged, as a document does that contains it.

        Raises:
            Forbidden: with every object that the caller cannot change.

        """
        refused = [
            self._refusal(key)
            for key, after in sorted(objects.items())
            if not self._permits(key, find_object(base, key), after)
        ]
        if refused:
            raise Forbidden(refused)

    def _permits(self, key: ObjectKey, before: CatalogueObject | None, after: CatalogueObject | None) -> bool:
        if key[0] is ObjectKind.API:
            return self.covers_api(key[1])
        if key[0] is not ObjectKind.APPLICATION and before == after:
            return True
        return all(self.covers(side) for side in (before, after) if side is not None)

    def _refusal(self, key: ObjectKey) -> Diagnostic:
        kind, name = key
        if kind in (ObjectKind.GATEWAY, ObjectKind.SETTINGS):
            return Diagnostic(
                code="role-insufficient",
                message=f"changing the {kind.value} requires the role {Role.ADMIN.value}",
                remedy="Use a token with that role, or leave the section as it is",
                found=self.role.value,
                place=Place((kind.value,)),
            )
        listed = ", ".join(self.apis)
        return Diagnostic(
            code="token-limited",
            message=f"this token is limited to the APIs {listed}",
            remedy=(
                "Choose a name within the limit, or use a token without it"
                if kind is ObjectKind.API
                else "Associate the application with these APIs only, and at least with one of them. "
                "If it is, others have an application of this name: choose another"
            ),
            found=name,
            place=Place(("apis" if kind is ObjectKind.API else "applications", name)),
        )


EVERYTHING: Final = Permission()
"""No limit: what the gateway itself, and commands with access to the store, may do."""


def visible(catalogue: Catalogue, permission: Permission) -> Catalogue:
    """The part of the catalogue that the caller can read.

    An application is visible if one of its APIs is; its other APIs are left out.
    """
    if not permission.limited:
        return catalogue
    apis = {key: api for key, api in catalogue.apis.items() if permission.covers_api(key)}
    applications = {}
    for name, application in catalogue.applications.items():
        shown = tuple(key for key in application.apis if key in apis)
        if shown:
            applications[name] = replace(application, apis=shown)
    return replace(catalogue, apis=apis, applications=applications)
