"""The way from the listener that enforces server-level CORS to the look-up of APIs behind it.

Server-level CORS is judged before any API is looked up, so it needs a route table of its own in front. What
it lets pass goes to a second listener inside the same Envoy, without a socket.
"""

from __future__ import annotations

from typing import Final

from envoy.config.cluster.v3.circuit_breaker_pb2 import CircuitBreakers
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.address_pb2 import Address, EnvoyInternalAddress
from envoy.config.core.v3.base_pb2 import TransportSocket
from envoy.config.core.v3.protocol_pb2 import Http1ProtocolOptions, HttpProtocolOptions
from envoy.config.endpoint.v3.endpoint_components_pb2 import Endpoint, LbEndpoint, LocalityLbEndpoints
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.extensions.transport_sockets.internal_upstream.v3.internal_upstream_pb2 import (
    InternalUpstreamTransport,
)
from envoy.extensions.transport_sockets.raw_buffer.v3.raw_buffer_pb2 import RawBuffer
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import (
    HttpProtocolOptions as UpstreamHttpProtocolOptions,
)
from google.protobuf.wrappers_pb2 import UInt32Value

from crossgate.compiler.protobuf import pack, resource
from crossgate.compiler.resource import Resource

INNER: Final = "apis"
"""Names the inner listener, and the cluster that leads to it."""

INNER_MAX_HEADERS: Final = 200
"""Both ways. The edge has counted a request's headers, and adds some; the native service's cluster counts
those of an answer. What has passed there must not be refused here."""

_HTTP_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_UNLIMITED: Final = UInt32Value(value=2**32 - 1)


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
        # By default 1,024 requests at once, and here that would be those to all APIs together. The edge
        # limits connections.
        circuit_breakers=CircuitBreakers(
            thresholds=[
                CircuitBreakers.Thresholds(
                    max_connections=_UNLIMITED, max_pending_requests=_UNLIMITED, max_requests=_UNLIMITED
                )
            ]
        ),
    )
    cluster.typed_extension_protocol_options[_HTTP_OPTIONS].CopyFrom(pack(_http1()))
    return resource(INNER, cluster)


def _http1() -> UpstreamHttpProtocolOptions:
    return UpstreamHttpProtocolOptions(
        common_http_protocol_options=HttpProtocolOptions(
            max_headers_count=UInt32Value(value=INNER_MAX_HEADERS),
            # Above the 60 that bind the native service.
            max_response_headers_kb=UInt32Value(value=96),
        ),
        explicit_http_config=UpstreamHttpProtocolOptions.ExplicitHttpConfig(
            http_protocol_options=Http1ProtocolOptions()
        ),
    )
