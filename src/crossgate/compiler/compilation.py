"""A catalogue compiled, and what of it has to be compiled again after a change: what the change touches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import compress
from operator import is_, is_not

from crossgate.catalogue.effective import Associations, own_policy
from crossgate.catalogue.model import Api, Catalogue, Gateway, NativeService
from crossgate.compiler.cluster import compile_cluster
from crossgate.compiler.edge import compile_edge
from crossgate.compiler.naming import ScopeKey, cluster_name, is_elsewhere, scope_key, scope_name
from crossgate.compiler.resource import (
    CLUSTER,
    SCOPED_ROUTE_CONFIGURATION,
    Changes,
    Resource,
    ResourceKey,
)
from crossgate.compiler.scope import Served, compile_scope
from crossgate.policy import ServerPolicy

_Members = Mapping[ScopeKey, frozenset[tuple[str, str]]]
"""By scope, the endpoints in it, each with its API's key."""


@dataclass(frozen=True, slots=True)
class Compilation:
    """What a catalogue compiles to. The same catalogue gives the same resources, whatever came before it."""

    catalogue: Catalogue = field(default_factory=Catalogue)
    resources: Mapping[ResourceKey, Resource] = field(default_factory=dict)
    _associations: Associations = field(default_factory=Associations)
    _members: _Members = field(default_factory=dict)
    _elsewhere: int = 0
    """How many endpoints lie under none of the roots."""
    _users: Mapping[str, int] = field(default_factory=dict)
    """By cluster, how many APIs are in front of its native service."""

    def advance(self, catalogue: Catalogue, system_ca: str) -> tuple[Compilation, Changes]:
        """The compilation of ``catalogue``, and how its resources differ from these.

        ``system_ca`` is the PEM file of trusted authorities where the catalogue names none.
        """
        before = self.catalogue
        associations, touched = self._associations.advance(catalogue.applications)
        changed = _differing(before.apis, catalogue.apis)
        if _judges_otherwise(before, catalogue):
            touched |= catalogue.apis.keys()
        members = _move(self._members, before.apis, catalogue.apis, changed)
        elsewhere = self._elsewhere + sum(
            _elsewhere(catalogue.apis.get(api)) - _elsewhere(before.apis.get(api)) for api in changed
        )

        made: dict[ResourceKey, Resource | None] = {}
        edge_before = _edge_of(before, self._elsewhere)
        if not self.resources or edge_before != _edge_of(catalogue, elsewhere):
            made |= dict.fromkeys(_keyed(compile_edge(before, elsewhere=bool(self._elsewhere))))
            made |= _keyed(compile_edge(catalogue, elsewhere=bool(elsewhere)))
        for key in _scopes_of(changed | touched, before.apis, catalogue.apis):
            made[SCOPED_ROUTE_CONFIGURATION, scope_name(key)] = _compile_members(
                key, members.get(key, frozenset()), catalogue, associations
            )
        users, other_clusters = _count_users(self._users, before.apis, catalogue.apis, changed)
        made |= {(CLUSTER, gone): None for gone in other_clusters if gone not in users}
        trusts_otherwise = before.gateway.native_ca != catalogue.gateway.native_ca
        natives = _natives(catalogue.apis if trusts_otherwise else changed, catalogue.apis)
        for cluster, native in natives.items():
            if trusts_otherwise or cluster in other_clusters:
                made[CLUSTER, cluster] = compile_cluster(native, catalogue.gateway.native_ca or system_ca)

        changes = {key: new for key, new in made.items() if self.resources.get(key) != new}
        # Copied whole and then corrected: for a change of one API this is the larger part of the work.
        resources = dict(self.resources)
        for name, new in changes.items():
            if new is None:
                resources.pop(name, None)
            else:
                resources[name] = new
        return Compilation(catalogue, resources, associations, members, elsewhere, users), changes


def _keyed(resources: Iterable[Resource]) -> dict[ResourceKey, Resource]:
    return {(one.type_url, one.name): one for one in resources}


def _edge_of(catalogue: Catalogue, elsewhere: int) -> tuple[Gateway, ServerPolicy | None, bool]:
    return catalogue.gateway, catalogue.server_policy, elsewhere > 0


def _elsewhere(api: Api | None) -> int:
    return sum(map(is_elsewhere, api.endpoints)) if api is not None else 0


def _differing(before: Mapping[str, Api], after: Mapping[str, Api]) -> set[str]:
    if before is after:
        return set()
    # Thousands of APIs are the very same objects: identity is asked first. Where their keys are, too, and in
    # the same order, as a change of some leaves them, not one of them is looked up.
    if len(before) == len(after) and all(map(is_, before, after)):
        replaced = compress(after, map(is_not, before.values(), after.values()))
        return {key for key in replaced if before[key] != after[key]}
    others = [key for key, api in after.items() if before.get(key) is not api]
    return {key for key in others if before.get(key) != after[key]} | (before.keys() - after.keys())


def _judges_otherwise(before: Catalogue, after: Catalogue) -> bool:
    """Whether something changed that bears on every policy."""
    return before.gateway.public_origins != after.gateway.public_origins or (
        (before.server_policy is None) != (after.server_policy is None)
    )


def _scopes_of(apis: Iterable[str], *catalogues: Mapping[str, Api]) -> set[ScopeKey]:
    found = (declared[api] for api in apis for declared in catalogues if api in declared)
    return {scope_key(endpoint) for api in found for endpoint in api.endpoints}


def _move(
    members: _Members, before: Mapping[str, Api], after: Mapping[str, Api], changed: set[str]
) -> _Members:
    if not changed:
        return members
    moved = dict(members)
    for key in changed:
        for endpoint in before[key].endpoints if key in before else ():
            scope = scope_key(endpoint)
            moved[scope] = moved[scope] - {(endpoint, key)}
        for endpoint in after[key].endpoints if key in after else ():
            scope = scope_key(endpoint)
            moved[scope] = moved.get(scope, frozenset()) | {(endpoint, key)}
    return moved


def _natives(apis: Iterable[str], catalogue: Mapping[str, Api]) -> dict[str, NativeService]:
    """The native services of those among ``apis`` that are there, by their cluster."""
    found = (catalogue[key].native for key in apis if key in catalogue)
    return {cluster_name(native): native for native in found}


def _count_users(
    users: Mapping[str, int], before: Mapping[str, Api], after: Mapping[str, Api], changed: set[str]
) -> tuple[Mapping[str, int], set[str]]:
    """How many APIs each cluster has now, and the clusters that came or went."""
    difference = Counter(cluster_name(after[key].native) for key in changed if key in after)
    difference.subtract(cluster_name(before[key].native) for key in changed if key in before)
    if not any(difference.values()):
        return users, set()
    counted = dict(users)
    for name, more in difference.items():
        counted[name] = counted.get(name, 0) + more
        if not counted[name]:
            del counted[name]
    return counted, {name for name in difference if (name in counted) != (name in users)}


def _compile_members(
    key: ScopeKey, members: frozenset[tuple[str, str]], catalogue: Catalogue, associations: Associations
) -> Resource | None:
    if not members:
        return None
    served = [
        Served(
            endpoint,
            catalogue.apis[api],
            own_policy(catalogue, associations, api),
            judged_before=catalogue.server_policy is not None,
        )
        for endpoint, api in sorted(members)
    ]
    return compile_scope(key, served)
