"""Which API serves which endpoint: conflicts found without looking at every API."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from crossgate.catalogue.model import Api
from crossgate.diagnostics import Diagnostic, Place


@dataclass(frozen=True, slots=True)
class Conflict:
    """An endpoint that is equal to, inside or around another one."""

    api: str
    endpoint: str
    other_api: str
    other_endpoint: str

    def diagnostic(self, place: Place) -> Diagnostic:
        """The conflict as a finding at the endpoint's place."""
        whose = "this API" if self.other_api == self.api else f"API {self.other_api}"
        if self.endpoint == self.other_endpoint:
            how = f"the endpoint is already that of {whose}"
        elif self.endpoint.startswith(f"{self.other_endpoint}/"):
            how = f"the endpoint lies inside {self.other_endpoint} of {whose}"
        else:
            how = f"the endpoint is a path-prefix of {self.other_endpoint} of {whose}"
        return Diagnostic(
            code="endpoint-conflict",
            message=f"{how}: a request could belong to both",
            found=self.endpoint,
            remedy="Set endpoints of which none begins with another",
            place=place,
        )


@dataclass(frozen=True, slots=True)
class EndpointClaims:
    """The endpoints of a consistent catalogue's APIs, none a path-prefix of another."""

    _owners: Mapping[str, str] = field(default_factory=dict)
    """By endpoint, its API's key."""
    _ordered: tuple[str, ...] = ()
    """Every endpoint with a slash at its end, sorted: what lies inside an endpoint follows it at once."""

    @classmethod
    def of(cls, apis: Mapping[str, Api]) -> EndpointClaims:
        """The claims of these APIs, which are known not to conflict."""
        owners = {endpoint: key for key, api in apis.items() for endpoint in api.endpoints}
        return cls(owners, tuple(sorted(f"{endpoint}/" for endpoint in owners)))

    def advance(
        self, before: Mapping[str, Api], after: Mapping[str, Api], changed: Iterable[str]
    ) -> tuple[EndpointClaims, list[Conflict]]:
        """The claims after the APIs with the keys ``changed`` became what they are in ``after``.

        Where there are conflicts, the claims are of no use.
        """
        moved = [key for key in changed if _endpoints(before, key) != _endpoints(after, key)]
        if not moved:
            return self, []
        owners, ordered = dict(self._owners), list(self._ordered)
        for key in moved:
            for endpoint in _endpoints(before, key):
                del owners[endpoint]
                del ordered[bisect_left(ordered, f"{endpoint}/")]
        conflicts = []
        for key in moved:
            for endpoint in _endpoints(after, key):
                others = list(_conflicting(endpoint, owners, ordered))
                conflicts += [Conflict(key, endpoint, owners[other], other) for other in others]
                if not others:
                    owners[endpoint] = key
                    insort(ordered, f"{endpoint}/")
        return EndpointClaims(owners, tuple(ordered)), conflicts


def _endpoints(apis: Mapping[str, Api], key: str) -> tuple[str, ...]:
    return apis[key].endpoints if key in apis else ()


def _conflicting(endpoint: str, owners: Mapping[str, str], ordered: list[str]) -> Iterator[str]:
    segments = endpoint.split("/")
    for length in range(2, len(segments) + 1):
        around = "/".join(segments[:length])
        if around in owners:
            yield around
    inside = f"{endpoint}/"
    position = bisect_left(ordered, inside)
    if position < len(ordered) and ordered[position] == inside:
        position += 1
    while position < len(ordered) and ordered[position].startswith(inside):
        yield ordered[position][:-1]
        position += 1
