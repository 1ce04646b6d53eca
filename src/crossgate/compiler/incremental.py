"""Incremental compilation: a catalogue compiled to resources, starting from the previous compilation.

This file knows the inputs of each resource, and finds the resources that a change affects. The other files of
the package compile a resource from its inputs; :mod:`crossgate.xds` decides when and how it is sent.

**Resources.** A catalogue compiles to three kinds of resources:

* the edge: both listeners, the cluster between them, the routes of server-level CORS, the token buckets of
  what nodes report. It depends on the gateway's settings, the server policy, and whether any endpoint is
  outside of the default roots;
* a scope for each scope key. It depends on the APIs with an endpoint under that key, the origins of their
  applications, the gateway's own origins, the default times, and whether there is a server policy;
* a cluster for each native service. It depends on the service's address, the trusted authorities, the client
  certificate for its host and the limits of native services.

**What a change affects.** :meth:`Compilation.advance` compares the new catalogue with the previous one, part
by part. A resource is compiled again if one of its inputs differs:

===================================================  ===================================================
change                                               compiled again
===================================================  ===================================================
an API (policy, endpoints, native service, timeout)  its scopes, before and after the change; a cluster
                                                     that its first API adds or its last API removes
an application                                       the scopes of the APIs that it is or was associated with
own origins; a server policy added or removed        all scopes
default times of native services                     the scopes of the APIs that do not set their own
trusted authorities, client certificates, limits of  all clusters
native services
gateway settings; the server policy; the first or    the edge
last endpoint outside of the default roots
===================================================  ===================================================

The list may be too long, never too short. A resource that compiles to the same bytes is not a change, so it
is not sent.

**Why history does not matter.** Every resource is a function of the catalogue alone. All unordered
collections are sorted before they are encoded, and versions are hashes of the content. The indexes only
answer which inputs belong to a resource, and after any history they give the same answers as if they had
been built from nothing. So the same catalogue gives the same bytes after any history, in any process, on any
control plane. Two control planes can serve one node.

**Indexes.** Reading all APIs for each change would make a change dearer with every API. Four indexes prevent
that. Like everything here they are values: ``advance`` returns new ones and changes none.

* ``_associations``: for each API, its applications;
* ``_members``: for each scope key, its endpoints and their APIs;
* ``_users``: for each cluster, the number of APIs that use it. It exists while the number is above 0;
* ``_outside``: the number of endpoints outside of the default roots.

**Cost.** Proportional to the affected resources, at 0.1 to 0.2 ms for a scope, plus the comparison and the
copies of the mappings: for one policy of 5,000 APIs 0.7 ms in all. Catalogues share the objects that did not
change, so most APIs are compared by identity alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import compress
from operator import is_, is_not
from typing import NamedTuple

from crossgate.catalogue.effective import Associations, own_policy, time_limits
from crossgate.catalogue.model import Api, Catalogue, Gateway, NativeClientCertificate, NativeService
from crossgate.catalogue.native_hosts import find_client_certificate
from crossgate.compiler.cluster import Authorities, ClusterLimits, cluster_limits, compile_cluster
from crossgate.compiler.flow_routes import compile_server_flow
from crossgate.compiler.internal_listener import compile_internal_cluster, compile_internal_listener
from crossgate.compiler.listener import compile_listener
from crossgate.compiler.names import ScopeKey, cluster_name, outside_default_roots, scope_key, scope_name
from crossgate.compiler.resource import (
    CLUSTER,
    SCOPED_ROUTE_CONFIGURATION,
    Changes,
    Resource,
    ResourceKey,
)
from crossgate.compiler.scope import ServedEndpoint, compile_scope
from crossgate.compiler.token_buckets import compile_token_buckets
from crossgate.policy import ServerPolicy

_Members = Mapping[ScopeKey, frozenset[tuple[str, str]]]
"""By scope key, pairs of an endpoint and its API's key."""


@dataclass(frozen=True, slots=True)
class Compilation:
    """A catalogue and its resources. The default value is an empty catalogue, not compiled yet."""

    catalogue: Catalogue = field(default_factory=Catalogue)
    resources: Mapping[ResourceKey, Resource] = field(default_factory=dict)
    _associations: Associations = field(default_factory=Associations)
    _members: _Members = field(default_factory=dict)
    _outside: int = 0
    _users: Mapping[str, int] = field(default_factory=dict)

    def advance(self, catalogue: Catalogue, system_ca: str) -> tuple[Compilation, Changes]:
        """The compilation of ``catalogue``, and the changes from this compilation's resources to its own.

        ``system_ca`` is the path of a PEM file: the trusted authorities, unless the catalogue sets others. It
        must be the same in all calls.
        """
        before = self.catalogue
        associations, affected = self._associations.advance(catalogue.applications)
        changed = _changed_apis(before.apis, catalogue.apis)
        affected.update(_affected_by_settings(before, catalogue))
        members = _move(self._members, before.apis, catalogue.apis, changed)
        outside = self._outside + sum(
            _count_outside(catalogue.apis.get(api)) - _count_outside(before.apis.get(api)) for api in changed
        )

        compiled: dict[ResourceKey, Resource | None] = {}
        edge_before, edge = _Edge.of(before, self._outside), _Edge.of(catalogue, outside)
        if not self.resources or edge_before != edge:
            compiled |= dict.fromkeys(edge_before.compile())
            compiled |= edge.compile()
        for key in _scopes_of(changed | affected, before.apis, catalogue.apis):
            compiled[SCOPED_ROUTE_CONFIGURATION, scope_name(key)] = _compile_members(
                key, members.get(key, frozenset()), catalogue, associations
            )
        users, added_or_removed = _count_users(self._users, before.apis, catalogue.apis, changed)
        compiled |= {(CLUSTER, name): None for name in added_or_removed if name not in users}
        inputs = _ClusterInputs.of(catalogue.gateway)
        all_changed = _ClusterInputs.of(before.gateway) != inputs
        for name, native in _natives(catalogue.apis if all_changed else changed, catalogue.apis).items():
            if all_changed or name in added_or_removed:
                compiled[CLUSTER, name] = inputs.compile(native, system_ca)

        changes = {key: new for key, new in compiled.items() if self.resources.get(key) != new}
        # A copy of the whole mapping: for a change of one API, the larger part of the work.
        resources = dict(self.resources)
        for key, new in changes.items():
            if new is None:
                resources.pop(key, None)
            else:
                resources[key] = new
        return Compilation(catalogue, resources, associations, members, outside, users), changes


class _Edge(NamedTuple):
    """The inputs of the edge's resources."""

    gateway: Gateway
    server_policy: ServerPolicy | None
    outside_default_roots: bool
    """Whether any endpoint is."""

    @classmethod
    def of(cls, catalogue: Catalogue, outside: int) -> _Edge:
        return cls(catalogue.gateway, catalogue.server_policy, outside > 0)

    def compile(self) -> dict[ResourceKey, Resource]:
        outside, policy = self.outside_default_roots, self.server_policy
        resources = [
            compile_listener(self.gateway, server_level=policy is not None, outside_default_roots=outside),
            compile_internal_listener(
                self.gateway.limits, outside_default_roots=outside, counts=self.gateway.telemetry.enabled
            ),
            compile_internal_cluster(self.gateway.limits),
            *compile_token_buckets(self.gateway.telemetry),
        ]
        if policy is not None:
            resources.append(compile_server_flow(policy))
        return {(resource.type_url, resource.name): resource for resource in resources}


class _ClusterInputs(NamedTuple):
    """What clusters depend on, besides their native service."""

    native_ca: str | None
    certificates: tuple[NativeClientCertificate, ...]
    limits: ClusterLimits

    @classmethod
    def of(cls, gateway: Gateway) -> _ClusterInputs:
        return cls(gateway.native_ca, gateway.native_client_certificates, cluster_limits(gateway.limits))

    def compile(self, native: NativeService, system_ca: str) -> Resource:
        own = find_client_certificate(self.certificates, native.host)
        ca = Authorities(self.native_ca or system_ca, watched=self.native_ca is not None)
        return compile_cluster(native, ca, self.limits, None if own is None else own.pair)


def _count_outside(api: Api | None) -> int:
    return sum(map(outside_default_roots, api.endpoints)) if api is not None else 0


def _changed_apis(before: Mapping[str, Api], after: Mapping[str, Api]) -> set[str]:
    """The keys of the APIs that were added, removed or changed."""
    if before is after:
        return set()
    # Identity before equality: thousands of APIs are the same objects. Most changes also keep the keys and
    # their order, and then no key has to be looked up.
    if len(before) == len(after) and all(map(is_, before, after)):
        replaced = compress(after, map(is_not, before.values(), after.values()))
        return {key for key in replaced if before[key] != after[key]}
    candidates = [key for key, api in after.items() if before.get(key) is not api]
    return {key for key in candidates if before.get(key) != after[key]} | (before.keys() - after.keys())


def _affected_by_settings(before: Catalogue, after: Catalogue) -> Iterable[str]:
    """The APIs whose scopes depend on settings that changed."""
    if (
        before.gateway.public_origins != after.gateway.public_origins
        or before.gateway.same_origin is not after.gateway.same_origin
        or (before.server_policy is None) != (after.server_policy is None)
    ):
        return after.apis.keys()
    old, new = before.gateway.limits, after.gateway.limits
    if old == new:
        return ()
    return {key for key, api in after.apis.items() if time_limits(api, old) != time_limits(api, new)}


def _scopes_of(apis: Iterable[str], *catalogues: Mapping[str, Api]) -> set[ScopeKey]:
    declared = (catalogue[key] for key in apis for catalogue in catalogues if key in catalogue)
    return {scope_key(endpoint) for api in declared for endpoint in api.endpoints}


def _move(
    members: _Members, before: Mapping[str, Api], after: Mapping[str, Api], changed: set[str]
) -> _Members:
    """The members after the endpoints of the changed APIs moved."""
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
    """By cluster name, the native services of those APIs that the catalogue contains."""
    natives = (catalogue[key].native for key in apis if key in catalogue)
    return {cluster_name(native): native for native in natives}


def _count_users(
    users: Mapping[str, int], before: Mapping[str, Api], after: Mapping[str, Api], changed: set[str]
) -> tuple[Mapping[str, int], set[str]]:
    """The number of APIs for each cluster, and the names of clusters that were added or removed."""
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
    """The scope; None if no endpoint is left in it."""
    if not members:
        return None
    served = [
        ServedEndpoint(
            endpoint,
            catalogue.apis[api],
            own_policy(catalogue, associations, api),
            time_limits(catalogue.apis[api], catalogue.gateway.limits),
            behind_server_cors=catalogue.server_policy is not None,
        )
        for endpoint, api in sorted(members)
    ]
    return compile_scope(key, served)
