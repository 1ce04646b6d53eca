"""Which origins gain or lose access to which API when one catalogue follows another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from crossgate.catalogue.effective import Associations, effective_policy
from crossgate.catalogue.model import Application, Catalogue
from crossgate.policy import ExactOrigin, NullOrigin, OriginPattern, OriginSet
from crossgate.policy.names import NULL
from crossgate.policy.pattern import loose_form
from crossgate.service.objects import Difference, Kind


class Regime(StrEnum):
    """Who decides which origins may use an API."""

    ABSENT = "absent"
    """There is no such API."""
    NATIVE = "native"
    """It has no policy: its native service decides."""
    OBSERVED = "observed"
    """Its policy decides and records, and everything is forwarded."""
    POLICY = "policy"
    """Its policy, and the origins of its applications."""
    SERVER = "server"
    """The server-level settings, for every API alike."""


@dataclass(frozen=True, slots=True)
class AccessChange:
    """What changes for the origins of one API.

    ``gains`` and ``loses`` name origins and patterns as they are written, a regular expression with ``r:``
    before it. Towards and from a regime that lists none they are empty: the regimes say all there is to say.
    """

    api: str
    before: Regime
    after: Regime
    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()


_LISTS = frozenset({Regime.POLICY, Regime.SERVER})
_NOBODY = OriginSet.of(())


@dataclass(frozen=True, slots=True)
class _Standing:
    regime: Regime
    patterns: dict[str, OriginPattern]
    origins: OriginSet


def find_access_changes(
    before: Catalogue, after: Catalogue, difference: Difference
) -> Iterator[AccessChange]:
    """Every API for whose origins something changes, sorted by key."""
    then, now = Associations.of(before.applications), Associations.of(after.applications)
    for key in sorted(_touched(before, after, difference)):
        old, new = _standing(before, then, key), _standing(after, now, key)
        change = AccessChange(key, old.regime, new.regime, _missing(new, old), _missing(old, new))
        if change.gains or change.loses or change.before is not change.after:
            yield change


def _touched(before: Catalogue, after: Catalogue, difference: Difference) -> Iterable[str]:
    if (
        before.server_policy != after.server_policy
        or before.gateway.public_origins != after.gateway.public_origins
    ):
        return before.apis.keys() | after.apis.keys()
    touched = {change.key for change in difference if change.kind is Kind.API}
    for change in difference:
        for side in (change.before, change.after):
            if isinstance(side, Application):
                touched.update(side.apis)
    return touched & (before.apis.keys() | after.apis.keys())


def _standing(catalogue: Catalogue, associations: Associations, key: str) -> _Standing:
    if key not in catalogue.apis:
        return _Standing(Regime.ABSENT, {}, _NOBODY)
    server = catalogue.server_policy
    if server is not None:
        return _listing(Regime.SERVER, server.allowed_origins, server.public_origins)
    effective = effective_policy(catalogue, associations, key)
    if effective is None:
        return _Standing(Regime.NATIVE, {}, _NOBODY)
    if effective.observes:
        return _Standing(Regime.OBSERVED, {}, _NOBODY)
    exact = effective.application_origins | effective.public_origins
    return _listing(Regime.POLICY, effective.policy.allowed_origins, exact)


def _listing(regime: Regime, patterns: Iterable[OriginPattern], exact: Iterable[str]) -> _Standing:
    listed = [*patterns, *map(ExactOrigin, exact)]
    return _Standing(regime, {_text(pattern): pattern for pattern in listed}, OriginSet.of(listed))


def _missing(listed: _Standing, elsewhere: _Standing) -> tuple[str, ...]:
    """What is listed here and has no access there."""
    if listed.regime not in _LISTS or elsewhere.regime in (Regime.NATIVE, Regime.OBSERVED):
        return ()
    return tuple(
        sorted(
            text
            for text, pattern in listed.patterns.items()
            if text not in elsewhere.patterns and not _admits(elsewhere.origins, pattern)
        )
    )


def _admits(origins: OriginSet, pattern: OriginPattern) -> bool:
    """Whether all that the pattern matches is surely among the origins."""
    if origins.any_origin:
        return True
    match pattern:
        case ExactOrigin(value):
            return value in origins
        case NullOrigin():
            return NULL in origins
        case _:
            return False


def _text(pattern: OriginPattern) -> str:
    written = loose_form(pattern)
    return written if isinstance(written, str) else f"r:{written['regex']}"
