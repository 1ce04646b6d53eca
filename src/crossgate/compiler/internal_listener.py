"""The internal listener, and the cluster through which the client-facing listener reaches it.

Server-level CORS runs before any API is looked up, so it needs its own route table in the client-facing
listener. Envoy looks routes up once per connection manager. Allowed requests therefore go on to a second
listener, inside the same Envoy and without a socket, that finds the API.
"""

from __future__ import annotations

from typing import Final

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.address_pb2 import Address, EnvoyInternalAddress
from envoy.config.core.v3.base_pb2 import TransportSocket
from envoy.config.core.v3.protocol_pb2 import Http1ProtocolOptions, HttpProtocolOptions
from envoy.config.endpoint.v3.endpoint_components_pb2 import Endpoint, LbEndpoint, LocalityLbEndpoints
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_components_pb2 import Filter, FilterChain
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from envoy.extensions.transport_sockets.internal_upstream.v3.internal_upstream_pb2 import (
    InternalUpstreamTransport,
)
from envoy.extensions.transport_sockets.raw_buffer.v3.raw_buffer_pb2 import RawBuffer
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value

from crossgate.catalogue.limits import Limits
from crossgate.compiler.access_loggers import keep_counters
from crossgate.compiler.cluster import circuit_breakers, http1_options
from crossgate.compiler.headers import LOOKUP_HEADER, request_header
from crossgate.compiler.listener import find_scope, http_filters, local_replies, upgrade_configs
from crossgate.compiler.names import INTERNAL_NAME
from crossgate.compiler.protobuf import pack, resource
from crossgate.compiler.resource import Resource

_UNLIMITED: Final = 2**32 - 1


def _max_headers(limits: Limits) -> UInt32Value:
    """For requests and responses.

    The client-facing listener has already limited a request's headers, and adds some; the native service's
    cluster limits a response's. This listener must not refuse what those accepted.
    """
    return UInt32Value(value=limits.max_headers + 100)


def _max_head_kib(limits: Limits) -> UInt32Value:
    """For requests and responses, for the same reason. The private header repeats a request's path."""
    return UInt32Value(value=2 * limits.max_head_kib + 32)


def compile_internal_cluster(limits: Limits) -> Resource:
    """The cluster whose only endpoint is the internal listener."""
    address = Address(envoy_internal_address=EnvoyInternalAddress(server_listener_name=INTERNAL_NAME))
    endpoint = LbEndpoint(endpoint=Endpoint(address=address))
    transport = InternalUpstreamTransport(
        transport_socket=TransportSocket(
            name="envoy.transport_sockets.raw_buffer", typed_config=pack(RawBuffer())
        )
    )
    cluster = Cluster(
        name=INTERNAL_NAME,
        type=Cluster.STATIC,
        load_assignment=ClusterLoadAssignment(
            cluster_name=INTERNAL_NAME, endpoints=[LocalityLbEndpoints(lb_endpoints=[endpoint])]
        ),
        transport_socket=TransportSocket(
            name="envoy.transport_sockets.internal_upstream", typed_config=pack(transport)
        ),
        # Envoy's default of 1,024 concurrent requests would be a limit for all APIs together. The number of
        # connections to the client-facing listener is the limit.
        circuit_breakers=circuit_breakers(_UNLIMITED),
        typed_extension_protocol_options=http1_options(
            HttpProtocolOptions(
                max_headers_count=_max_headers(limits), max_response_headers_kb=_max_head_kib(limits)
            )
        ),
    )
    return resource(INTERNAL_NAME, cluster)


def compile_internal_listener(
    limits: Limits, *, outside_default_roots: bool, counts: bool = True
) -> Resource:
    """The internal listener. It trusts the client-facing listener and only finds the API.

    It exists without server-level CORS too: after that was turned off, older connections still use it.
    ``counts`` is whether the client-facing listener counts decisions; no request is counted here.
    """
    manager = HttpConnectionManager(
        stat_prefix=INTERNAL_NAME,
        http_filters=http_filters(),
        generate_request_id=BoolValue(value=False),
        preserve_external_request_id=True,
        skip_xff_append=True,
        server_header_transformation=HttpConnectionManager.PASS_THROUGH,
        common_http_protocol_options=HttpProtocolOptions(max_headers_count=_max_headers(limits)),
        max_request_headers_kb=_max_head_kib(limits),
        http_protocol_options=Http1ProtocolOptions(allow_custom_methods=True),
        upgrade_configs=upgrade_configs(),
        local_reply_config=local_replies(),
    )
    if not counts:
        manager.access_log.extend(keep_counters())
    find_scope(manager, request_header(LOOKUP_HEADER), outside_default_roots=outside_default_roots)
    listener = Listener(
        name=INTERNAL_NAME,
        internal_listener=Listener.InternalListenerConfig(),
        filter_chains=[FilterChain(filters=[Filter(name="http", typed_config=pack(manager))])],
    )
    return resource(INTERNAL_NAME, listener)
