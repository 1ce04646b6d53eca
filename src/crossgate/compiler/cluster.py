"""The cluster of a native service, shared by all APIs in front of it.

A cluster is how Envoy connects: scheme, host and port. What else an API says of its native service, the base
path and the time it has, is its routes'.
"""

from __future__ import annotations

from functools import lru_cache

from envoy.config.cluster.v3.circuit_breaker_pb2 import CircuitBreakers
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.address_pb2 import Address, SocketAddress
from envoy.config.core.v3.base_pb2 import DataSource, TransportSocket
from envoy.config.core.v3.protocol_pb2 import Http1ProtocolOptions, HttpProtocolOptions
from envoy.config.endpoint.v3.endpoint_components_pb2 import Endpoint, LbEndpoint, LocalityLbEndpoints
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.extensions.transport_sockets.tls.v3.common_pb2 import (
    CertificateValidationContext,
    SubjectAltNameMatcher,
)
from envoy.extensions.transport_sockets.tls.v3.tls_pb2 import CommonTlsContext, UpstreamTlsContext
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import (
    HttpProtocolOptions as UpstreamHttpProtocolOptions,
)
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from google.protobuf.any_pb2 import Any
from google.protobuf.wrappers_pb2 import UInt32Value

from crossgate.catalogue.model import NativeService
from crossgate.compiler.names import cluster_name
from crossgate.compiler.protobuf import encode_field, field_tag, pack, seconds, serialise
from crossgate.compiler.resource import CLUSTER, Resource
from crossgate.net.address import is_ip_address

CONNECT_TIMEOUT = 5.0
"""Seconds until a native service that does not take the connection counts as unreachable: 503."""

IDLE_TIMEOUT = 4.0
"""Seconds that an idle connection is kept. Many servers hang up after five, and a request that meets that is
answered 503."""

MOST_AT_ONCE = 10_000
"""Requests to one native service, by all its APIs together; more are answered 503. Envoy's limit is 1,024."""

_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_LIMITS = CircuitBreakers(
    thresholds=[
        CircuitBreakers.Thresholds(
            max_connections=UInt32Value(value=MOST_AT_ONCE),
            max_pending_requests=UInt32Value(value=MOST_AT_ONCE),
            max_requests=UInt32Value(value=MOST_AT_ONCE),
        )
    ]
)


_NAME = field_tag(Cluster, "name")
_STATISTICS = field_tag(Cluster, "alt_stat_name")
_LOADED = field_tag(Cluster, "load_assignment")
_LOADED_NAME = field_tag(ClusterLoadAssignment, "cluster_name")


# Statistics' names are read in parts between dots, and Envoy turns colons into underscores: two names must
# not become one by that. No host has these signs, but for the hyphen: there the last one stands for a colon.
_IN_STATISTICS = str.maketrans({".": "_", "_": "~", ":": "-"})


def compile_cluster(native: NativeService, ca_file: str) -> Resource:
    """The cluster's resource; ``ca_file`` holds the authorities trusted for https, as PEM."""
    name = cluster_name(native)
    text = name.encode()
    cluster = (
        encode_field(_NAME, text)
        + encode_field(_STATISTICS, statistics_name(name).encode())
        + _common(named=not is_ip_address(native.host))
        + encode_field(_LOADED, encode_field(_LOADED_NAME, text) + _reached(native.host, native.port))
    )
    if native.scheme == "https":
        cluster += _verified(native, ca_file)
    return Resource.of(CLUSTER, name, cluster)


def http1_options(common: HttpProtocolOptions) -> dict[str, Any]:
    """A cluster's ``typed_extension_protocol_options``: HTTP/1.1 with these limits."""
    options = UpstreamHttpProtocolOptions(
        common_http_protocol_options=common,
        explicit_http_config=UpstreamHttpProtocolOptions.ExplicitHttpConfig(
            http_protocol_options=Http1ProtocolOptions()
        ),
    )
    return {_HTTP_OPTIONS: pack(options)}


def statistics_name(cluster: str) -> str:
    """What stands for the cluster's name in Envoy's statistics, as one part of theirs."""
    return cluster.translate(_IN_STATISTICS)


@lru_cache(maxsize=2)
def _common(*, named: bool) -> bytes:
    """What all clusters have in common."""
    return serialise(
        Cluster(
            # Every address behind the name is tried in turn: many serve `localhost` on one of its two only.
            type=Cluster.LOGICAL_DNS if named else Cluster.STATIC,
            dns_lookup_family=Cluster.ALL,
            connect_timeout=seconds(CONNECT_TIMEOUT),
            circuit_breakers=_LIMITS,
            typed_extension_protocol_options=http1_options(
                HttpProtocolOptions(idle_timeout=seconds(IDLE_TIMEOUT))
            ),
        )
    )


def _reached(host: str, port: int) -> bytes:
    address = Address(socket_address=SocketAddress(address=host, port_value=port))
    endpoint = LbEndpoint(endpoint=Endpoint(address=address))
    return serialise(ClusterLoadAssignment(endpoints=[LocalityLbEndpoints(lb_endpoints=[endpoint])]))


def _verified(native: NativeService, ca_file: str) -> bytes:
    """TLS, with the certificate checked against the authorities and against the service's own name."""
    # The dot at the end of a fully qualified name is DNS's own; neither SNI nor certificates know it.
    name = native.host.removesuffix(".")
    context = UpstreamTlsContext(
        sni="" if is_ip_address(name) else name,
        common_tls_context=CommonTlsContext(
            validation_context=CertificateValidationContext(
                trusted_ca=DataSource(filename=ca_file),
                match_typed_subject_alt_names=[_subject(name)],
            )
        ),
    )
    socket = TransportSocket(name="envoy.transport_sockets.tls", typed_config=pack(context))
    return serialise(Cluster(transport_socket=socket))


def _subject(host: str) -> SubjectAltNameMatcher:
    kind = SubjectAltNameMatcher.IP_ADDRESS if is_ip_address(host) else SubjectAltNameMatcher.DNS
    return SubjectAltNameMatcher(san_type=kind, matcher=StringMatcher(exact=host))
