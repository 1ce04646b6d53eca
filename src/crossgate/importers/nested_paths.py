"""Which routes lead to native paths below those of others: one API could serve the paths of several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crossgate.importers.combine import strictest
from crossgate.importers.found import FoundPolicy


@dataclass(frozen=True, slots=True)
class RoutedPath:
    """A path of clients, the native paths that it leads to, and the policy for it."""

    path: str
    natives: Sequence[tuple[str, str]]
    """Pairs of a service and a path there, without a slash at the end."""
    policy: FoundPolicy | None


def strictest_below(routes: Sequence[RoutedPath]) -> list[FoundPolicy | None]:
    """For each route the policy that allows only what those of all routes at or below its path allow.

    Requests for the paths below can come through the route's own API. A route without policy keeps none.
    """
    found = []
    for number, inner in enumerate(_inner_routes(routes)):
        own = routes[number].policy
        others = {id(one): one for one in (routes[at].policy for at in inner) if one is not own}
        found.append(None if own is None else strictest([own, *others.values()]))
    return found


def _inner_routes(routes: Sequence[RoutedPath]) -> list[Iterable[int]]:
    """For each route those at or below it; the work grows with the number of lengths that paths have."""
    outer: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    lengths: defaultdict[str, set[int]] = defaultdict(set)
    same: defaultdict[str, list[int]] = defaultdict(list)
    for number, route in enumerate(routes):
        same[route.path].append(number)
        for service, path in set(route.natives):
            outer[service, path].append(number)
            lengths[service].add(len(path))
    inner: list[dict[int, None]] = [dict.fromkeys(same[route.path]) for route in routes]
    for number, route in enumerate(routes):
        for service, path in route.natives:
            for length in lengths[service]:
                if length <= len(path) and path[length : length + 1] in ("", "/"):
                    for at in outer.get((service, path[:length]), ()):
                        inner[at][number] = None
    return [*inner]
