"""Which APIs a resource is made for: what people know, where Envoy speaks of a cluster or a scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from crossgate.catalogue.model import Api
from crossgate.compiler.naming import cluster_name, scope_key, scope_name
from crossgate.compiler.resource import CLUSTER, SCOPED_ROUTE_CONFIGURATION, ResourceKey

_NAMED: Final = 3


def concerned(key: ResourceKey, apis: Mapping[str, Api]) -> tuple[str, ...]:
    """The keys of the APIs, sorted; none if the resource is the whole gateway's. Looks at all APIs."""
    kind, name = key
    return tuple(sorted(one.key for one in apis.values() if name in _names(kind, one)))


def made_for(apis: Sequence[str]) -> str:
    """What to add to the resource's name: ", made for" the first of these APIs; nothing if there are none."""
    if not apis:
        return ""
    rest = [f"{len(apis) - _NAMED:,} more"] if len(apis) > _NAMED else []
    return f", made for {', '.join([*apis[:_NAMED], *rest])}"


def _names(kind: str, api: Api) -> set[str]:
    if kind == CLUSTER:
        return {cluster_name(api.native)}
    if kind == SCOPED_ROUTE_CONFIGURATION:
        return {scope_name(scope_key(endpoint)) for endpoint in api.endpoints}
    return set()
