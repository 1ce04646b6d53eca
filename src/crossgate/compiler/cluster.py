"""The cluster of a native service, shared by all APIs that use the service.

A cluster contains what Envoy needs to connect: scheme, host and port. The base path and the timeout are in
the routes of each API.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from envoy.config.cluster.v3.circuit_breaker_pb2 import CircuitBreakers
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.address_pb2 import Address, SocketAddress
from envoy.config.core.v3.base_pb2 import TransportSocket
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

from crossgate.catalogue.limits import Limits
from crossgate.catalogue.model import NativeService, Tls
from crossgate.compiler.names import cluster_name
from crossgate.compiler.protobuf import pack, resource, seconds
from crossgate.compiler.resource import Resource
from crossgate.compiler.secrets import authorities_name, client_pair_name, secret_config
from crossgate.net.address import is_ip_address

_HTTP_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


class Authorities(NamedTuple):
    """The PEM file with the authorities that are trusted for https."""

    file: str
    watched: bool
    """Whether a change of the file is noticed. Those of the system are read once for each cluster."""


class ClusterLimits(NamedTuple):
    """The limits of a gateway that clusters depend on; see :class:`crossgate.catalogue.limits.Limits`."""

    connect_timeout: float
    keepalive_timeout: float
    max_requests: int
    max_head_kib: int
    max_headers: int


def cluster_limits(limits: Limits) -> ClusterLimits:
    """The part of the limits that clusters depend on."""
    return ClusterLimits(
        limits.native_connect_timeout,
        limits.native_keepalive_timeout,
        limits.max_native_requests,
        limits.max_head_kib,
        limits.max_headers,
    )


_DEFAULT: Final = cluster_limits(Limits())


# Dots separate the parts of a statistic's name, and Envoy replaces colons by underscores. Two cluster names
# must not become equal. Of the replacements, a host can only contain the hyphen; the last one replaces the
# colon.
_IN_STATISTICS = str.maketrans({".": "_", "_": "~", ":": "-"})


def compile_cluster(
    native: NativeService,
    ca: Authorities,
    limits: ClusterLimits = _DEFAULT,
    client_certificate: Tls | None = None,
) -> Resource:
    """The cluster's resource.

    ``ca`` are the authorities trusted for https; ``client_certificate`` is presented to an https native
    service.
    """
    name = cluster_name(native)
    cluster = Cluster(
        name=name,
        alt_stat_name=statistics_name(name),
        # Envoy tries every address of a name: many servers listen on only one of the two of `localhost`.
        type=Cluster.STATIC if is_ip_address(native.host) else Cluster.LOGICAL_DNS,
        dns_lookup_family=Cluster.ALL,
        connect_timeout=seconds(limits.connect_timeout),
        circuit_breakers=circuit_breakers(limits.max_requests),
        typed_extension_protocol_options=_options(limits),
        load_assignment=_assignment(name, native),
    )
    if native.scheme == "https":
        cluster.transport_socket.CopyFrom(_tls(native.host, ca, client_certificate))
    return resource(name, cluster)


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
    """The cluster's name in Envoy's statistics: one part, without dots."""
    return cluster.translate(_IN_STATISTICS)


@lru_cache(maxsize=4)
def circuit_breakers(maximum: int) -> CircuitBreakers:
    """At most ``maximum`` requests at a time, over as many connections. Envoy's default is 1,024."""
    limit = UInt32Value(value=maximum)
    threshold = CircuitBreakers.Thresholds(
        max_connections=limit, max_pending_requests=limit, max_requests=limit
    )
    return CircuitBreakers(thresholds=[threshold])


@lru_cache(maxsize=4)
def _options(limits: ClusterLimits) -> dict[str, Any]:
    return http1_options(
        HttpProtocolOptions(
            idle_timeout=seconds(limits.keepalive_timeout),
            max_headers_count=UInt32Value(value=limits.max_headers),
            max_response_headers_kb=UInt32Value(value=limits.max_head_kib),
        )
    )


def _assignment(name: str, native: NativeService) -> ClusterLoadAssignment:
    address = Address(socket_address=SocketAddress(address=native.host, port_value=native.port))
    endpoint = LbEndpoint(endpoint=Endpoint(address=address))
    return ClusterLoadAssignment(cluster_name=name, endpoints=[LocalityLbEndpoints(lb_endpoints=[endpoint])])


def _tls(host: str, ca: Authorities, client_certificate: Tls | None) -> TransportSocket:
    """TLS; the certificate must be signed by an authority and contain the service's own name."""
    # DNS alone knows the final dot of a fully qualified name; SNI and certificates do not.
    name = host.removesuffix(".")
    common = CommonTlsContext()
    validation = CertificateValidationContext(match_typed_subject_alt_names=[_subject(name)])
    if ca.watched:
        combined = CommonTlsContext.CombinedCertificateValidationContext(
            default_validation_context=validation,
            validation_context_sds_secret_config=secret_config(authorities_name(ca.file)),
        )
        common.combined_validation_context.CopyFrom(combined)
    else:
        validation.trusted_ca.filename = ca.file
        common.validation_context.CopyFrom(validation)
    if client_certificate is not None:
        common.tls_certificate_sds_secret_configs.append(secret_config(client_pair_name(client_certificate)))
    context = UpstreamTlsContext(sni="" if is_ip_address(name) else name, common_tls_context=common)
    return TransportSocket(name="envoy.transport_sockets.tls", typed_config=pack(context))


def _subject(host: str) -> SubjectAltNameMatcher:
    kind = SubjectAltNameMatcher.IP_ADDRESS if is_ip_address(host) else SubjectAltNameMatcher.DNS
    return SubjectAltNameMatcher(san_type=kind, matcher=StringMatcher(exact=host))
