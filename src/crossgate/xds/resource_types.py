"""The resource types that Envoy subscribes to, and the order in which their changes take hold.

Make before break: a route must not name a cluster that the node does not have, and a cluster must not be
removed while a route still names it. An update waits for its own change only, so that one native service
whose name resolves slowly does not delay the policies of the others. A removal waits for every change before
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crossgate.compiler import resource

CLUSTER: Final = resource.CLUSTER
LISTENER: Final = resource.LISTENER
ROUTES: Final = resource.ROUTE_CONFIGURATION
SCOPED_ROUTES: Final = resource.SCOPED_ROUTE_CONFIGURATION
ENDPOINTS: Final = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
SECRET: Final = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"

WILDCARD_TYPES: Final = frozenset({CLUSTER, LISTENER, SCOPED_ROUTES})
"""Of these, an empty list of names in the first request subscribes to everything; of others, to nothing.

Source: "xDS REST and gRPC protocol", How the client specifies what resources to return.
"""

WHOLE_FIRST_RESPONSE: Final = frozenset({SCOPED_ROUTES})
"""The first response of these to a node that has none of them holds all.

Envoy opens a listener after one response, and answers 404 for routes that it did not hold.
"""

UPDATED_AFTER: Final[Mapping[str, frozenset[str]]] = {
    LISTENER: frozenset({CLUSTER}),
    SCOPED_ROUTES: frozenset({CLUSTER, LISTENER}),
    ROUTES: frozenset({CLUSTER, LISTENER}),
}
"""A change of the key waits until the updates of these types in the same change are decided.

Endpoints and secrets wait for nothing: Envoy acknowledges a cluster only once it has them, so waiting would
deadlock.
"""

REMOVED_AFTER: Final[Mapping[str, frozenset[str]]] = {
    CLUSTER: frozenset({LISTENER, SCOPED_ROUTES, ROUTES}),
    ENDPOINTS: frozenset({CLUSTER, LISTENER, SCOPED_ROUTES, ROUTES}),
    SECRET: frozenset({CLUSTER, LISTENER}),
}
"""A removal of the key waits until every change of these types, in the same change or before, is in place."""
