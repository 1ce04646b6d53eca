"""The listener: the hardened edge of the gateway, and how a request finds its API."""

from __future__ import annotations

from typing import Final

from envoy.config.common.mutation_rules.v3.mutation_rules_pb2 import HeaderMutation as Mutation
from envoy.config.core.v3.address_pb2 import Address, SocketAddress
from envoy.config.core.v3.base_pb2 import (
    DataSource,
    HeaderValue,
    HeaderValueOption,
    TransportSocket,
)
from envoy.config.core.v3.config_source_pb2 import AggregatedConfigSource, ApiVersion, ConfigSource
from envoy.config.core.v3.protocol_pb2 import (
    Http1ProtocolOptions,
    Http2ProtocolOptions,
    HttpProtocolOptions,
)
from envoy.config.listener.v3.listener_components_pb2 import Filter, FilterChain
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.extensions.filters.http.header_mutation.v3.header_mutation_pb2 import HeaderMutation
from envoy.extensions.filters.http.router.v3.router_pb2 import Router
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
    HttpFilter,
    Rds,
    ScopedRds,
    ScopedRoutes,
)
from envoy.extensions.http.early_header_mutation.header_mutation.v3.header_mutation_pb2 import (
    HeaderMutation as EarlyHeaderMutation,
)
from envoy.extensions.transport_sockets.tls.v3.common_pb2 import TlsCertificate, TlsParameters
from envoy.extensions.transport_sockets.tls.v3.tls_pb2 import CommonTlsContext, DownstreamTlsContext
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value

from crossgate.catalogue.model import Gateway, Tls
from crossgate.compiler.inner import INNER, INNER_MAX_HEADERS
from crossgate.compiler.naming import FILLER, ROOTS
from crossgate.compiler.private_headers import LOOKUP_HEADER
from crossgate.compiler.protobuf import pack, resource, seconds
from crossgate.compiler.resource import Resource
from crossgate.compiler.responses import HEADER_MUTATION, reflected
from crossgate.compiler.server_flow import ROUTES_NAME

LISTENER_NAME: Final = "gateway"

_ADS: Final = ConfigSource(ads=AggregatedConfigSource(), resource_api_version=ApiVersion.V3)

HEADERS_TIMEOUT: Final = 10.0
REQUEST_TIMEOUT: Final = 300.0
STREAM_IDLE_TIMEOUT: Final = 300.0
CONNECTION_IDLE_TIMEOUT: Final = 900.0
MAX_HEADERS_KB: Final = 16
MAX_HEADERS: Final = 100
BUFFER_BYTES: Final = 32 * 1024


def compile_listener(gateway: Gateway, *, server_level: bool, elsewhere: bool) -> Resource:
    """The listener's resource; as little as possible bears on it, since a change drains connections.

    With server-level CORS it looks its routes up under one name, else by the scopes of the APIs.
    ``elsewhere`` says whether any endpoint lies under none of the roots.
    """
    manager = _hardened(LISTENER_NAME)
    if server_level:
        manager.rds.CopyFrom(Rds(route_config_name=ROUTES_NAME, config_source=_ADS))
    else:
        _find_apis(manager, "", elsewhere=elsewhere)
    chain = FilterChain(filters=[Filter(name="http", typed_config=pack(manager))])
    if gateway.tls is not None:
        chain.transport_socket.CopyFrom(_tls(gateway.tls))
    listener = Listener(
        name=LISTENER_NAME,
        address=Address(
            socket_address=SocketAddress(address=gateway.listen.host, port_value=gateway.listen.port)
        ),
        per_connection_buffer_limit_bytes=UInt32Value(value=BUFFER_BYTES),
        filter_chains=[chain],
    )
    return resource(LISTENER_NAME, listener)


def compile_inner_listener(*, elsewhere: bool) -> Resource:
    """The listener inside, which trusts the one in front and only finds the API.

    It is there also without server-level CORS: connections from before that was turned off still lead to it.
    """
    manager = HttpConnectionManager(
        stat_prefix=INNER,
        http_filters=_filters(),
        generate_request_id=BoolValue(value=False),
        preserve_external_request_id=True,
        skip_xff_append=True,
        server_header_transformation=HttpConnectionManager.PASS_THROUGH,
        common_http_protocol_options=HttpProtocolOptions(
            max_headers_count=UInt32Value(value=INNER_MAX_HEADERS)
        ),
        http_protocol_options=Http1ProtocolOptions(allow_custom_methods=True),
        upgrade_configs=_upgrades(),
    )
    _find_apis(manager, reflected(LOOKUP_HEADER), elsewhere=elsewhere)
    listener = Listener(
        name=INNER,
        internal_listener=Listener.InternalListenerConfig(),
        filter_chains=[FilterChain(filters=[Filter(name="http", typed_config=pack(manager))])],
    )
    return resource(INNER, listener)


def _hardened(name: str) -> HttpConnectionManager:
    """What a client says of itself is not believed; what it sends is read in one way only."""
    return HttpConnectionManager(
        stat_prefix=name,
        codec_type=HttpConnectionManager.AUTO,
        http_filters=_filters(),
        use_remote_address=BoolValue(value=True),
        normalize_path=BoolValue(value=True),
        merge_slashes=True,
        # An escaped slash is data. What it would make a dot segment of, the routes refuse.
        path_with_escaped_slashes_action=HttpConnectionManager.KEEP_UNCHANGED,
        common_http_protocol_options=HttpProtocolOptions(
            idle_timeout=seconds(CONNECTION_IDLE_TIMEOUT),
            max_headers_count=UInt32Value(value=MAX_HEADERS),
            headers_with_underscores_action=HttpProtocolOptions.REJECT_REQUEST,
        ),
        # Every method but the few known ones would be answered 400 by the parser, before any policy spoke.
        http_protocol_options=Http1ProtocolOptions(allow_custom_methods=True),
        http2_protocol_options=Http2ProtocolOptions(
            max_concurrent_streams=UInt32Value(value=100),
            initial_stream_window_size=UInt32Value(value=64 * 1024),
            initial_connection_window_size=UInt32Value(value=1024 * 1024),
        ),
        max_request_headers_kb=UInt32Value(value=MAX_HEADERS_KB),
        request_headers_timeout=seconds(HEADERS_TIMEOUT),
        request_timeout=seconds(REQUEST_TIMEOUT),
        stream_idle_timeout=seconds(STREAM_IDLE_TIMEOUT),
        upgrade_configs=_upgrades(),
        server_name="crossgate",
    )


def _filters() -> list[HttpFilter]:
    return [
        # Made only for requests whose route configures it: preflights and what passes do without.
        HttpFilter(name=HEADER_MUTATION, typed_config=pack(HeaderMutation()), disabled=True),
        HttpFilter(name="envoy.filters.http.router", typed_config=pack(Router(suppress_envoy_headers=True))),
    ]


def _upgrades() -> list[HttpConnectionManager.UpgradeConfig]:
    return [HttpConnectionManager.UpgradeConfig(upgrade_type="websocket")]


def _find_apis(manager: HttpConnectionManager, mark: str, *, elsewhere: bool) -> None:
    """Look the API up by two path segments; see :mod:`crossgate.compiler.naming`.

    They are read from a private header, made of ``mark``, a format string without slashes, and the path.
    Under the roots the path's second and third segments are the key. To tell other paths from these takes an
    expression, which costs more than all the rest of the look-up, so it is there only if something is served
    elsewhere: it puts one filler in front of a path under the roots, three in front of any other.
    """
    value, first = f"{mark}%PATH(NQ:PATH)%", 2
    if elsewhere:
        roots = " || ".join(f"request.url_path.startsWith('/{root}/')" for root in ROOTS)
        filler = f"/{FILLER}"
        value, first = f"{mark}%CEL({roots} ? '{filler}' : '{filler * 3}')%%PATH(NQ:PATH)%", 3
    written = Mutation(
        append=HeaderValueOption(
            header=HeaderValue(key=LOOKUP_HEADER, value=value),
            append_action=HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
        )
    )
    manager.early_header_mutation_extensions.add(
        name="envoy.http.early_header_mutation.header_mutation",
        typed_config=pack(EarlyHeaderMutation(mutations=[written])),
    )
    manager.scoped_routes.CopyFrom(_scoped_routes(first))


def _scoped_routes(first: int) -> ScopedRoutes:
    """``first``: where the key's first segment stands among the private header's."""

    def segment(index: int) -> ScopedRoutes.ScopeKeyBuilder.FragmentBuilder:
        extractor = ScopedRoutes.ScopeKeyBuilder.FragmentBuilder.HeaderValueExtractor(
            name=LOOKUP_HEADER, element_separator="/", index=index
        )
        return ScopedRoutes.ScopeKeyBuilder.FragmentBuilder(header_value_extractor=extractor)

    return ScopedRoutes(
        name=LISTENER_NAME,
        scope_key_builder=ScopedRoutes.ScopeKeyBuilder(
            fragments=[segment(index) for index in range(first, first + 2)]
        ),
        rds_config_source=_ADS,
        scoped_rds=ScopedRds(scoped_rds_config_source=_ADS),
    )


def _tls(tls: Tls) -> TransportSocket:
    context = DownstreamTlsContext(
        common_tls_context=CommonTlsContext(
            tls_params=TlsParameters(tls_minimum_protocol_version=TlsParameters.TLSv1_2),
            tls_certificates=[
                TlsCertificate(
                    certificate_chain=DataSource(filename=tls.certificate),
                    private_key=DataSource(filename=tls.key),
                )
            ],
            alpn_protocols=["h2", "http/1.1"],
        )
    )
    return TransportSocket(name="envoy.transport_sockets.tls", typed_config=pack(context))
