"""Small resources that a real Envoy accepts, and one that it rejects."""

from __future__ import annotations

from typing import Any as Message

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import scoped_route_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.extensions.network.dns_resolver.cares.v3 import cares_dns_resolver_pb2
from google.protobuf import any_pb2, json_format

from crossgate.compiler.resource import Resource
from crossgate.xds.resource_types import CLUSTER, LISTENER, SCOPED_ROUTES

ADS = {"ads": {}, "resource_api_version": "V3"}


def serialised(kind: str, name: str, message: Message) -> Resource:
    return Resource.of(kind, name, message.SerializeToString(deterministic=True))


def cluster(name: str, timeout: int = 1) -> Resource:
    """A cluster without endpoints; ``timeout`` tells its versions apart."""
    body = {"name": name, "type": "STATIC", "connect_timeout": f"{timeout}s"}
    return serialised(CLUSTER, name, json_format.ParseDict(body, cluster_pb2.Cluster()))


def unresolvable(name: str, silent_port: int) -> Resource:
    """A cluster whose name server, at ``silent_port``, does not answer."""
    address = {"socket_address": {"address": "native.test", "port_value": 80}}
    resolver = {
        "@type": "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
        "resolvers": [{"socket_address": {"address": "127.0.0.1", "port_value": silent_port}}],
    }
    body = {
        "name": name,
        "type": "STRICT_DNS",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
        "typed_dns_resolver_config": {"name": "envoy.network.dns_resolver.cares", "typed_config": resolver},
    }
    assert cares_dns_resolver_pb2, "its type has to be known to the parser"
    return serialised(CLUSTER, name, json_format.ParseDict(body, cluster_pb2.Cluster()))


def scope(name: str, answer: str, *, regex: str | None = None) -> Resource:
    """Requests with the header ``x-scope: name`` get ``answer``; Envoy rejects an invalid ``regex``."""
    match = {"prefix": "/"} if regex is None else {"safe_regex": {"regex": regex}}
    route = {"match": match, "direct_response": {"status": 200, "body": {"inline_string": answer}}}
    body = {
        "name": name,
        "key": {"fragments": [{"string_key": name}]},
        "route_configuration": {
            "name": name,
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}],
        },
    }
    message = json_format.ParseDict(body, scoped_route_pb2.ScopedRouteConfiguration())
    return serialised(SCOPED_ROUTES, name, message)


def listener(port: int) -> Resource:
    router = any_pb2.Any()
    router.Pack(router_pb2.Router())
    header = {"name": "x-scope", "element_separator": ",", "index": 0}
    connections = json_format.ParseDict(
        {
            "stat_prefix": "live",
            "scoped_routes": {
                "name": "scopes",
                "scope_key_builder": {"fragments": [{"header_value_extractor": header}]},
                "rds_config_source": ADS,
                "scoped_rds": {"scoped_rds_config_source": ADS},
            },
        },
        http_connection_manager_pb2.HttpConnectionManager(),
    )
    connections.http_filters.add(name="router").typed_config.CopyFrom(router)
    made = listener_pb2.Listener(name="edge")
    made.address.socket_address.address = "127.0.0.1"
    made.address.socket_address.port_value = port
    packed = made.filter_chains.add().filters.add(name="http").typed_config
    packed.Pack(connections)
    return serialised(LISTENER, "edge", made)
