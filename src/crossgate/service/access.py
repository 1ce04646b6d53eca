"""Which origins gain or lose access to which API through a change of the catalogue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from crossgate.catalogue.effective import Associations, effective_policy
from crossgate.catalogue.model import Application, Catalogue
from crossgate.policy import (
    AnyOrigin,
    ExactOrigin,
    NullOrigin,
    OriginPattern,
    OriginSet,
    RegexOrigin,
    WildcardOrigin,
)
from crossgate.policy.names import NULL
from crossgate.policy.origin_pattern import serialise_origin_pattern
from crossgate.service.objects import Difference, ObjectKind


class AccessMode(StrEnum):
    """What decides which origins may use an API."""

    ABSENT = "absent"
    """The API does not exist."""
    NATIVE = "native"
    """The API has no policy: its native service decides."""
    OBSERVED = "observed"
    """The policy only records its decisions: every request is forwarded."""
    POLICY = "policy"
    """The policy, with the origins of the API's applications."""
    SERVER = "server"
    """The server-level settings, for every API."""


@dataclass(frozen=True, slots=True)
class AccessChange:
    """The change of access to one API.

    ``gains`` and ``loses`` name origins and patterns as a document does, a regular expression with the prefix
    ``r:``. They are empty if one of the modes has no list of origins: then the modes describe the change.
    """

    api: str
    before: AccessMode
    after: AccessMode
    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()


_NO_ORIGINS = OriginSet.of(())


@dataclass(frozen=True, slots=True)
class _Access:
    """What one catalogue allows for one API."""

    mode: AccessMode
    patterns: dict[str, OriginPattern]
    origins: OriginSet


def find_access_changes(
    before: Catalogue, after: Catalogue, difference: Difference
) -> Iterator[AccessChange]:
    """Every API whose access changes, sorted by key."""
    affected = _affected(before, after, difference)
    then, now = (_associations(side, affected) for side in (before, after))
    for key in sorted(affected):
        old, new = _access(before, then, key), _access(after, now, key)
        change = AccessChange(key, old.mode, new.mode, _not_allowed_by(old, new), _not_allowed_by(new, old))
        if change.gains or change.loses or change.before is not change.after:
            yield change


def _associations(catalogue: Catalogue, apis: Collection[str]) -> Associations:
    """The associations of these APIs: those of 20,000 applications with all would take 20 ms."""
    if not apis:
        return Associations()
    keys = frozenset(apis)
    some = {name: one for name, one in catalogue.applications.items() if not keys.isdisjoint(one.apis)}
    return Associations.of(some)


def _affected(before: Catalogue, after: Catalogue, difference: Difference) -> Collection[str]:
    every = before.apis.keys() | after.apis.keys()
    if (
        before.server_policy != after.server_policy
        or before.gateway.public_origins != after.gateway.public_origins
    ):
        return every
    affected = {change.key for change in difference if change.kind is ObjectKind.API}
    for change in difference:
        for side in (change.before, change.after):
            if isinstance(side, Application):
                affected.update(side.apis)
    return affected & every


def _access(catalogue: Catalogue, associations: Associations, key: str) -> _Access:
    if key not in catalogue.apis:
        return _Access(AccessMode.ABSENT, {}, _NO_ORIGINS)
    server = catalogue.server_policy
    if server is not None:
        return _listed(AccessMode.SERVER, server.allowed_origins, server.public_origins)
    effective = effective_policy(catalogue, associations, key)
    if effective is None:
        return _Access(AccessMode.NATIVE, {}, _NO_ORIGINS)
    if effective.observes:
        return _Access(AccessMode.OBSERVED, {}, _NO_ORIGINS)
    exact = effective.application_origins | effective.public_origins
    return _listed(AccessMode.POLICY, effective.policy.allowed_origins, exact)


def _listed(mode: AccessMode, patterns: Iterable[OriginPattern], exact: Iterable[str]) -> _Access:
    listed = [*patterns, *map(ExactOrigin, exact)]
    return _Access(mode, {_name(pattern): pattern for pattern in listed}, OriginSet.of(listed))


def _not_allowed_by(access: _Access, other: _Access) -> tuple[str, ...]:
    """The patterns of ``other`` that ``access`` does not allow."""
    if access.mode in (AccessMode.NATIVE, AccessMode.OBSERVED):
        return ()
    return tuple(
        sorted(
            name
            for name, pattern in other.patterns.items()
            if name not in access.patterns and not _surely_contains(access.origins, pattern)
        )
    )


def _surely_contains(origins: OriginSet, pattern: OriginPattern) -> bool:
    if origins.any_origin:
        return True
    match pattern:
        case ExactOrigin(value):
            return value in origins
        case NullOrigin():
            return NULL in origins
        case AnyOrigin():
            return False
        case WildcardOrigin() | RegexOrigin():
            # Others may contain it, but only a proof could tell. To name it in the plan is the safe side.
            return False
        case _ as never:
            assert_never(never)


def _name(pattern: OriginPattern) -> str:
    raw = serialise_origin_pattern(pattern)
    return raw if isinstance(raw, str) else f"r:{raw['regex']}"
