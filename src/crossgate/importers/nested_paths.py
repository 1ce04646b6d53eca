"""Policies of paths below others: an API serves every path below its own, also those of other routes.

A client path that has an API of its own in the source can be without one in Crossgate, where no endpoint is a
prefix of another: requests for it go through the API of the shorter path, to the same native service.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass

from crossgate.diagnostics import Diagnostic
from crossgate.importers.combine import strictest, values_of
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import FoundPolicy


@dataclass(frozen=True, slots=True)
class RoutedPath:
    """A path of clients, what it leads to, and the policy for it."""

    path: str
    """Without a slash at the end; empty for all paths."""
    services: Collection[Hashable]
    """The native services; what else tells routes apart, such as host names, can be part of each."""
    policy: FoundPolicy | None


def strictest_below(routes: Sequence[RoutedPath]) -> list[FoundPolicy | None]:
    """For each route the policy that allows only what all routes at or below its path to its services allow.

    A route without policy keeps none.
    """
    states = _states(routes)
    return [
        None
        if route.policy is None
        else strictest([route.policy, *(states[service, route.path] for service in route.services)])
        for route in routes
    ]


def combine_paths(routes: Sequence[RoutedPath]) -> Mapping[int, FoundPolicy | None]:
    """By the number of the first route with each path, the policy for the path and those below it.

    Other routes with the same path are for other conditions than the path, which Crossgate does not have.
    """
    same: defaultdict[str, list[int]] = defaultdict(list)
    for number, route in enumerate(routes):
        same[route.path].append(number)
    joined = [
        RoutedPath(
            path,
            dict.fromkeys(service for number in numbers for service in routes[number].services),
            strictest([routes[number].policy for number in numbers]),
        )
        for path, numbers in same.items()
    ]
    policies = strictest_below(joined)
    return {numbers[0]: policy for numbers, policy in zip(same.values(), policies, strict=True)}


def combined_at(at: Cursor, own: FoundPolicy | None, combined: FoundPolicy | None) -> list[Diagnostic]:
    """The warning that the policy of an API became stricter; empty if it did not."""
    if combined is own or values_of(combined) == values_of(own):
        return []
    return [
        at.diagnose(
            "policies-combined",
            "some requests here, or at paths below, have other policies; the API gets what all of them allow",
            "Set the policy of the API, or give those paths native services of their own",
        )
    ]


def _states(routes: Sequence[RoutedPath]) -> dict[tuple[Hashable, str], FoundPolicy | None]:
    """By service and path, the strictest policy at or below it. The work is linear but for the sorting."""
    own: defaultdict[Hashable, defaultdict[str, list[FoundPolicy | None]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for route in routes:
        for service in route.services:
            own[service][route.path].append(route.policy)
    states: dict[tuple[Hashable, str], FoundPolicy | None] = {}
    for service, policies in own.items():
        # In this order, what is below a path follows it, and is complete before it when read backwards.
        paths = sorted(policies, key=lambda path: path.split("/"))
        outer = dict(zip(paths, _parents(paths), strict=True))
        for path in reversed(paths):
            state = states[service, path] = strictest(policies[path])
            if (parent := outer[path]) is not None:
                policies[parent].append(state)
    return states


def _parents(paths: Sequence[str]) -> list[str | None]:
    """For each of the sorted paths the longest one that it is below."""
    open_paths: list[str] = []
    parents: list[str | None] = []
    for path in paths:
        while open_paths and not path.startswith(f"{open_paths[-1]}/"):
            open_paths.pop()
        parents.append(open_paths[-1] if open_paths else None)
        open_paths.append(path)
    return parents
