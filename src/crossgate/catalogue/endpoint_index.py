"""Which API serves which endpoint, and where two of them could serve the same request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from crossgate.catalogue.model import Api
from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.policy.request import normalise_path


@dataclass(frozen=True, slots=True)
class Claim:
    """An API's claim to an endpoint, and where it is declared."""

    endpoint: str
    api: str
    place: Place = field(default=Place(), compare=False)


@dataclass(frozen=True, slots=True)
class EndpointConflict:
    """A claim to an endpoint that equals, contains or lies inside that of an earlier claim."""

    claim: Claim
    earlier: Claim

    def diagnostic(self, describe: Callable[[Place], str] | None = None) -> Diagnostic:
        """The conflict at the place of the later claim; ``describe`` adds where the earlier one is."""
        mine, other = self.claim.endpoint, self.earlier.endpoint
        owner = "this API" if self.earlier.api == self.claim.api else f"API {self.earlier.api}"
        if describe is not None:
            owner = f"{owner} ({describe(self.earlier.place)})"
        if mine == other:
            relation = f"endpoint already used by {owner}"
        elif mine.startswith(f"{other}/"):
            relation = f"endpoint lies inside {other} of {owner}"
        else:
            relation = f"endpoint is a path prefix of {other} of {owner}"
        return Diagnostic(
            code="endpoint-conflict",
            message=f"{relation}: a request could match both",
            found=mine,
            remedy="Choose endpoints so that none is a prefix of another",
            place=self.claim.place,
        )


@dataclass(frozen=True, slots=True)
class EndpointIndex:
    """The endpoints of a catalogue's APIs, none a path prefix of another."""

    _claims: Mapping[str, Claim] = field(default_factory=dict)
    """By endpoint with a slash at its end; sorted, so that what lies inside an endpoint follows it."""

    @classmethod
    def of(cls, apis: Iterable[Api]) -> EndpointIndex:
        """The index of APIs that are known not to conflict."""
        return cls().replace((), [claim for api in apis for claim in claims_of(api)])[0]

    def replace(
        self, removed: Iterable[str], added: Iterable[Claim]
    ) -> tuple[EndpointIndex, list[EndpointConflict]]:
        """The index without the ``removed`` endpoints and with the ``added`` claims, and the conflicts.

        A claim that conflicts with earlier ones is reported once. The index is valid only if none does.
        """
        claims = dict(self._claims)
        for endpoint in removed:
            del claims[f"{endpoint}/"]
        conflicts = []
        for claim in added:
            earlier = claims.setdefault(f"{claim.endpoint}/", claim)
            if earlier is not claim:
                conflicts.append(EndpointConflict(claim, earlier))
        ordered = sorted(claims)
        conflicts += _find_nested(claims, ordered)
        return EndpointIndex({key: claims[key] for key in ordered}), conflicts

    def advance(
        self, before: Mapping[str, Api], after: Mapping[str, Api], changed: Iterable[str]
    ) -> tuple[EndpointIndex, list[EndpointConflict]]:
        """The index after the APIs with the keys ``changed`` became those of ``after``; and the conflicts."""
        removed: list[str] = []
        added: list[Claim] = []
        for key in changed:
            old, new = before.get(key), after.get(key)
            if old is not None and new is not None and old.endpoints == new.endpoints:
                continue
            removed += old.endpoints if old is not None else ()
            added += claims_of(new) if new is not None else ()
        return self.replace(removed, added) if removed or added else (self, [])


def resolve_api(apis: Mapping[str, Api], api: str, path: str) -> str:
    """The key of the API that a request target leads to, or ``api`` if it has no path, or a malformed one.

    Raises InvalidInput if no API serves the path, or if that is another than ``api``.
    """
    normalised = normalise_path(path) if path else None
    if normalised is None:
        return api
    serving = [
        key for key, one in apis.items() if any(f"{normalised}/".startswith(f"{at}/") for at in one.endpoints)
    ]
    if serving == [api] or (serving and not api):
        return serving[0]
    declared = apis[api].endpoints if api in apis else [one.endpoints[0] for one in apis.values()][:5]
    raise InvalidInput(
        [
            Diagnostic(
                code="path-not-of-api",
                message=f"the path leads to API {serving[0]}" if serving else "no API serves this path",
                found=normalised,
                remedy=f"Use a path under {' or '.join(declared)}" if declared else "Declare an API first",
            )
        ]
    )


def claims_of(api: Api) -> list[Claim]:
    """The API's claims, placed by its key: ``$.apis['petstore/1.0'].endpoints[0]``."""
    place = Place(("apis", api.key, "endpoints"))
    return [Claim(endpoint, api.key, place.at(index)) for index, endpoint in enumerate(api.endpoints)]


def _find_nested(claims: Mapping[str, Claim], ordered: Sequence[str]) -> list[EndpointConflict]:
    """Conflicts between an endpoint and one inside it; ``claims`` stand in the order they were made in."""
    if not any(inner.startswith(outer) for outer, inner in pairwise(ordered)):
        return []
    rank = {key: number for number, key in enumerate(claims)}
    found: dict[str, str] = {}
    around: list[str] = []
    for key in ordered:
        while around and not key.startswith(around[-1]):
            around.pop()
        for outer in around:
            earlier, later = sorted((outer, key), key=rank.__getitem__)
            found.setdefault(later, earlier)
        around.append(key)
    return [EndpointConflict(claims[later], claims[earlier]) for later, earlier in found.items()]
