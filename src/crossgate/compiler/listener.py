"""The client-facing listener: its limits, and how it finds the scope of a request's API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from envoy.config.accesslog.v3.accesslog_pb2 import AccessLogFilter, ResponseFlagFilter
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
from envoy.extensions.filters.http.header_to_metadata.v3.header_to_metadata_pb2 import (
    Config as HeaderToMetadata,
)
from envoy.extensions.filters.http.health_check.v3.health_check_pb2 import HealthCheck
from envoy.extensions.filters.http.router.v3.router_pb2 import Router
from envoy.extensions.filters.network.connection_limit.v3.connection_limit_pb2 import ConnectionLimit
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
    HttpFilter,
    LocalReplyConfig,
    Rds,
    ResponseMapper,
    ScopedRds,
    ScopedRoutes,
)
from envoy.extensions.transport_sockets.tls.v3.common_pb2 import TlsParameters
from envoy.extensions.transport_sockets.tls.v3.tls_pb2 import CommonTlsContext, DownstreamTlsContext
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value, UInt64Value

from crossgate.catalogue.limits import Limits
from crossgate.catalogue.model import Gateway, Tls
from crossgate.catalogue.names import DEFAULT_ROOTS
from crossgate.catalogue.underscore_headers import UnderscoreHeaders
from crossgate.compiler.access_loggers import HEADER_TO_METADATA, access_loggers
from crossgate.compiler.conditions import equals, matches
from crossgate.compiler.forwarding import believe, believe_nobody, networks
from crossgate.compiler.headers import HEADER_MUTATION, LOOKUP_HEADER, mutate_early
from crossgate.compiler.names import FILLER, LISTENER_NAME, SERVER_ROUTES_NAME
from crossgate.compiler.protobuf import pack, resource, seconds
from crossgate.compiler.resource import Resource
from crossgate.compiler.secrets import pair_name, secret_config
from crossgate.compiler.underscores import accept_underscores

_ADS: Final = ConfigSource(ads=AggregatedConfigSource(), resource_api_version=ApiVersion.V3)

STREAM_IDLE_TIMEOUT: Final = 300.0
"""Seconds for responses of Envoy itself, and for what is left to send of others; routes have their own."""
BUFFER_BYTES: Final = 32 * 1024

READY_PATH: Final = "/.well-known/crossgate/ready"
UNKNOWN_PATH: Final = "No API at this path"
"""The body of the 404 to a path that no API serves."""


def compile_listener(gateway: Gateway, *, server_level: bool, outside_default_roots: bool) -> Resource:
    """The listener's resource. It depends on few settings, because each change drains connections.

    With server-level CORS it uses that route configuration, otherwise the scopes of the APIs.
    ``outside_default_roots`` is whether any endpoint is outside of the default roots.
    """
    managers = {"anyone": _hardened(LISTENER_NAME, gateway.limits)}
    believe_nobody(managers["anyone"])
    if gateway.trusted_proxies:
        managers["trusted"] = _hardened(LISTENER_NAME, gateway.limits)
        believe(managers["trusted"], gateway.trusted_proxies)
    for manager in managers.values():
        if server_level:
            manager.rds.CopyFrom(Rds(route_config_name=SERVER_ROUTES_NAME, config_source=_ADS))
            # Access loggers take it for a sign that the request was forwarded.
            mutate_early(manager, Mutation(remove=LOOKUP_HEADER))
        else:
            find_scope(manager, "", outside_default_roots=outside_default_roots)
        if gateway.underscore_headers is UnderscoreHeaders.ALLOW:
            accept_underscores(manager)
        if gateway.ready_path:
            manager.http_filters.insert(0, _answer_ready_path())
        manager.access_log.extend(access_loggers(gateway, server_level=server_level))
    chains = {name: _chain(name, gateway, manager) for name, manager in managers.items()}
    if "trusted" in chains:
        chains["trusted"].filter_chain_match.source_prefix_ranges.extend(networks(gateway.trusted_proxies))
    listener = Listener(
        name=LISTENER_NAME,
        address=Address(
            socket_address=SocketAddress(address=gateway.listen.host, port_value=gateway.listen.port)
        ),
        per_connection_buffer_limit_bytes=UInt32Value(value=BUFFER_BYTES),
        filter_chains=chains.values(),
    )
    return resource(LISTENER_NAME, listener)


def _chain(name: str, gateway: Gateway, manager: HttpConnectionManager) -> FilterChain:
    limit = ConnectionLimit(
        stat_prefix=LISTENER_NAME, max_connections=UInt64Value(value=gateway.limits.max_connections)
    )
    chain = FilterChain(
        name=name,
        filters=[
            Filter(name="envoy.filters.network.connection_limit", typed_config=pack(limit)),
            Filter(name="http", typed_config=pack(manager)),
        ],
    )
    if gateway.tls:
        chain.transport_socket.CopyFrom(_tls(gateway.tls))
    return chain


def _hardened(name: str, limits: Limits) -> HttpConnectionManager:
    """A connection manager that trusts no client, and accepts only requests that every server reads alike."""
    return HttpConnectionManager(
        stat_prefix=name,
        codec_type=HttpConnectionManager.AUTO,
        http_filters=http_filters(),
        normalize_path=BoolValue(value=True),
        merge_slashes=True,
        # An escaped slash is data. The routes refuse paths in which it would make a dot segment.
        path_with_escaped_slashes_action=HttpConnectionManager.KEEP_UNCHANGED,
        common_http_protocol_options=HttpProtocolOptions(
            idle_timeout=seconds(limits.keepalive_timeout),
            max_headers_count=UInt32Value(value=limits.max_headers),
            headers_with_underscores_action=HttpProtocolOptions.REJECT_REQUEST,
        ),
        # Otherwise the parser answers unknown methods with 400, before any policy applies.
        http_protocol_options=Http1ProtocolOptions(allow_custom_methods=True),
        http2_protocol_options=Http2ProtocolOptions(
            max_concurrent_streams=UInt32Value(value=limits.max_streams),
            initial_stream_window_size=UInt32Value(value=64 * 1024),
            initial_connection_window_size=UInt32Value(value=1024 * 1024),
            # A malformed request costs its stream, not all streams of the connection.
            override_stream_error_on_invalid_http_message=BoolValue(value=True),
        ),
        max_request_headers_kb=UInt32Value(value=limits.max_head_kib),
        request_headers_timeout=seconds(limits.head_timeout),
        # It would cut an upload that flows.
        request_timeout=seconds(0),
        stream_idle_timeout=seconds(STREAM_IDLE_TIMEOUT),
        # Otherwise a route without an idle time would wait for ever for a client that reads nothing.
        stream_flush_timeout=seconds(STREAM_IDLE_TIMEOUT),
        upgrade_configs=upgrade_configs(),
        local_reply_config=local_replies(),
        always_set_request_id_in_response=True,
        server_name="crossgate",
    )


def http_filters() -> list[HttpFilter]:
    """The filters of both listeners."""
    return [
        # Disabled unless a route configures it: preflights and passed-through requests do not pay for it.
        HttpFilter(name=HEADER_MUTATION, typed_config=pack(HeaderMutation()), disabled=True),
        HttpFilter(name=HEADER_TO_METADATA, typed_config=pack(HeaderToMetadata()), disabled=True),
        HttpFilter(name="envoy.filters.http.router", typed_config=pack(Router(suppress_envoy_headers=True))),
    ]


def _answer_ready_path() -> HttpFilter:
    """Answer load balancers before any policy applies: 200, or 503 while the node drains."""
    config = HealthCheck(
        pass_through_mode=BoolValue(value=False),
        headers=[equals(":path", READY_PATH), matches(":method", "GET|HEAD")],
    )
    return HttpFilter(name="envoy.filters.http.health_check", typed_config=pack(config))


def upgrade_configs() -> list[HttpConnectionManager.UpgradeConfig]:
    """The upgrades that both listeners accept."""
    return [HttpConnectionManager.UpgradeConfig(upgrade_type="websocket")]


def local_replies() -> LocalReplyConfig:
    """The bodies of both listeners' own responses that no route makes."""
    no_route = AccessLogFilter(response_flag_filter=ResponseFlagFilter(flags=["NR"]))
    return LocalReplyConfig(
        mappers=[ResponseMapper(filter=no_route, body=DataSource(inline_string=UNKNOWN_PATH))]
    )


def find_scope(manager: HttpConnectionManager, prefix: str, *, outside_default_roots: bool) -> None:
    """Configure the look-up of a scope by two path segments; see :mod:`crossgate.compiler.names`.

    An early mutation writes ``prefix``, a format string without slashes, and the path to a private header.
    Below the default roots, the path's second and third segment are the key. To recognise other paths takes
    a CEL expression, which costs more than the rest of the look-up, so it is used only if there are
    endpoints outside of the default roots. It puts one filler in front of paths below the roots, and three
    in front of others.
    """
    value, first = f"{prefix}%PATH(NQ:PATH)%", 2
    if outside_default_roots:
        roots = " || ".join(f"request.url_path.startsWith('/{root}/')" for root in DEFAULT_ROOTS)
        filler = f"/{FILLER}"
        value, first = f"{prefix}%CEL({roots} ? '{filler}' : '{filler * 3}')%%PATH(NQ:PATH)%", 3
    written = Mutation(
        append=HeaderValueOption(
            header=HeaderValue(key=LOOKUP_HEADER, value=value),
            append_action=HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
        )
    )
    mutate_early(manager, written)
    manager.scoped_routes.CopyFrom(_scoped_routes(first))


def _scoped_routes(first: int) -> ScopedRoutes:
    """``first`` is the index, among the private header's segments, of the key's first segment."""

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


def _tls(pairs: Sequence[Tls]) -> TransportSocket:
    # Without its only certificate a listener serves nobody: the one before it serves on until there is one.
    names = [secret_config(pair_name(pair), is_needed=len(pairs) == 1) for pair in pairs]
    context = DownstreamTlsContext(
        common_tls_context=CommonTlsContext(
            tls_params=TlsParameters(tls_minimum_protocol_version=TlsParameters.TLSv1_2),
            tls_certificate_sds_secret_configs=names,
            alpn_protocols=["h2", "http/1.1"],
        )
    )
    return TransportSocket(name="envoy.transport_sockets.tls", typed_config=pack(context))
