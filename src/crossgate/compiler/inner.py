"""The way from the listener that enforces server-level CORS to the look-up of APIs behind it.

Server-level CORS is judged before any API is looked up, so it needs a route table of its own in front. What
it lets pass goes to a second listener inside the same Envoy, without a socket.
"""

from __future__ import annotations

from typing import Final

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.address_pb2 import Address, EnvoyInternalAddress
from envoy.config.core.v3.base_pb2 import TransportSocket
from envoy.config.endpoint.v3.endpoint_components_pb2 import Endpoint, LbEndpoint, LocalityLbEndpoints
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.extensions.transport_sockets.internal_upstream.v3.internal_upstream_pb2 import (
    InternalUpstreamTransport,
)
from envoy.extensions.transport_sockets.raw_buffer.v3.raw_buffer_pb2 import RawBuffer

from crossgate.compiler.protobuf import pack, resource
from crossgate.compiler.resource import Resource

INNER: Final = "apis"
"""Names the inner listener, and the cluster that leads to it."""


def compile_way_inside() -> Resource:
    """The cluster whose one endpoint is the inner listener."""
    address = Address(envoy_internal_address=EnvoyInternalAddress(server_listener_name=INNER))
    endpoint = LbEndpoint(endpoint=Endpoint(address=address))
    transport = InternalUpstreamTransport(
        transport_socket=TransportSocket(
            name="envoy.transport_sockets.raw_buffer", typed_config=pack(RawBuffer())
        )
    )
    cluster = Cluster(
        name=INNER,
        type=Cluster.STATIC,
        load_assignment=ClusterLoadAssignment(
            cluster_name=INNER, endpoints=[LocalityLbEndpoints(lb_endpoints=[endpoint])]
        ),
        transport_socket=TransportSocket(
            name="envoy.transport_sockets.internal_upstream", typed_config=pack(transport)
        ),
    )
    return resource(INNER, cluster)
