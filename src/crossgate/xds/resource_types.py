"""The kinds of resource that Envoy asks for, and the order in which their changes may take hold.

Make before break: a route must not name a cluster that is not there yet, and a cluster must not go while a
route still names it. What is added waits for its own change only, so that one native service whose name
resolves slowly does not delay the policies of the rest; what goes waits for every change before it.
"""

from __future__ import annotations

from collections.abc import Mapping

CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
ENDPOINTS = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
SCOPED_ROUTES = "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration"
ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"

# Envoy asks for these with an empty list that means "everything"; for any other kind an empty list is just
# empty (xDS protocol, "How the client specifies what resources to return").
WILDCARD_TYPES = frozenset({CLUSTER, LISTENER, SCOPED_ROUTES})

# Envoy opens a listener after one response of these, and answers 404 for what that did not hold; so the first
# one to a node that has none of them holds all.
WHOLE_FIRST_RESPONSE = frozenset({SCOPED_ROUTES})

# A change of the key waits until the updates of these kinds in the same change are settled. Endpoints and
# secrets wait for nothing: Envoy acknowledges a cluster only once it has them, so waiting would deadlock.
UPDATED_AFTER: Mapping[str, frozenset[str]] = {
    LISTENER: frozenset({CLUSTER}),
    SCOPED_ROUTES: frozenset({CLUSTER, LISTENER}),
    ROUTES: frozenset({CLUSTER, LISTENER}),
}

# A removal of the key waits until every change of these kinds, in the same change or before, has taken hold.
REMOVED_AFTER: Mapping[str, frozenset[str]] = {
    CLUSTER: frozenset({LISTENER, SCOPED_ROUTES, ROUTES}),
    ENDPOINTS: frozenset({CLUSTER, LISTENER, SCOPED_ROUTES, ROUTES}),
    SECRET: frozenset({CLUSTER, LISTENER}),
}
