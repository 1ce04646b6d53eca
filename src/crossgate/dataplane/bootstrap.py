"""What Envoy is started with: its bootstrap and its command line.

The bootstrap holds the node's identity, the address of its control plane, and limits; listeners, routes and
clusters come from the control plane. Pure: equal settings give equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from crossgate.compiler.names import CONTROL_PLANE_CLUSTER, SECRETS_CLUSTER
from crossgate.dataplane.log import FORMAT as LOG_FORMAT
from crossgate.net.address import Address, HostPort, UnixSocket

INCARNATION: Final = "incarnation"
"""Key of the node's metadata: the name of one process, by which its counters are distinguished."""
HEAP_LIMIT_BYTES: Final = 2 << 30
"""Envoy sheds load when its heap comes near this."""
CLIENT_CONNECTIONS_LIMIT: Final = 100_000
"""For the machine. The listener has a lower limit, which is a setting."""
_TYPE: Final = "type.googleapis.com/envoy.extensions."
Json = Mapping[str, object]


def bootstrap(node_id: str, control_plane: Address, admin_socket: Path, secrets_socket: Path) -> bytes:
    """The bootstrap as JSON. Certificates come from the process that listens at ``secrets_socket``.

    Envoy becomes ready only when the control plane has sent clusters and listeners, however long that takes.
    """
    return dumps(
        {
            "node": {"id": node_id, "cluster": "crossgate"},
            "admin": _admin(admin_socket),
            "dynamic_resources": _dynamic_resources(),
            "static_resources": {
                "clusters": [_control_plane_cluster(control_plane), _secrets_cluster(secrets_socket)]
            },
            "bootstrap_extensions": [
                _extension(
                    "envoy.bootstrap.internal_listener", "bootstrap.internal_listener.v3.InternalListener"
                )
            ],
            "typed_dns_resolver_config": _dns_resolver(),
            "layered_runtime": {"layers": [{"name": "crossgate", "static_layer": _runtime()}]},
            "overload_manager": _overload_manager(),
            # Statistics of a cluster or listener are created with its first request: with thousands of APIs
            # they would take most of the memory.
            "deferred_stat_options": {"enable_deferred_creation_stats": True},
            # The supervisor flushes by a request for statistics: Envoy's own flush before its end is lost.
            "stats_flush_on_admin": True,
            "stats_sinks": [_metrics_service()],
            "stats_config": {"stats_matcher": _unread_statistics()},
        }
    )


def dumps(document: Json) -> bytes:
    """JSON with its keys sorted, so that equal documents are equal bytes."""
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def _admin(socket: Path) -> Json:
    # A client of the admin interface can stop Envoy: owner only, and never a port. It must also answer when
    # clients have used every connection.
    return {"address": {"pipe": {"path": str(socket), "mode": 0o600}}, "ignore_global_conn_limit": True}


def _dynamic_resources() -> Json:
    over_ads = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
    grpc = {
        "cluster_name": CONTROL_PLANE_CLUSTER,
        # The default grows to 30 s, during which a restarted control plane has no nodes.
        "retry_policy": {"retry_back_off": {"base_interval": "0.1s", "max_interval": "2s"}},
    }
    return {
        "ads_config": {
            "api_type": "DELTA_GRPC",
            "transport_api_version": "V3",
            "set_node_on_first_message_only": True,
            "grpc_services": [{"envoy_grpc": grpc}],
        },
        "cds_config": over_ads,
        "lds_config": over_ads,
    }


def _control_plane_cluster(control_plane: Address) -> Json:
    http2: Json = {}
    address: Json
    match control_plane:
        case UnixSocket(path):
            # The kernel reports the death of a local peer: no keepalive is needed.
            address = {"pipe": {"path": str(path)}}
        case HostPort(host, port):
            address = {"socket_address": {"address": host, "port_value": port}}
            # A tunnel may lose its other end silently. `crossgate.xds.server` permits this many pings; by
            # default a gRPC server ends connections that ping more than once in five minutes.
            http2 = {"connection_keepalive": {"interval": "30s", "timeout": "5s"}}
    return _grpc_cluster(CONTROL_PLANE_CLUSTER, address, http2)


def _secrets_cluster(socket: Path) -> Json:
    return _grpc_cluster(SECRETS_CLUSTER, {"pipe": {"path": str(socket)}}, {})


def _grpc_cluster(name: str, address: Json, http2: Json) -> Json:
    endpoint = {"endpoint": {"address": address}}
    options = {
        "@type": _TYPE + "upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": http2},
    }
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options
        },
    }


def _metrics_service() -> Json:
    # Cumulative values, so that a report that is lost loses nothing. A batch keeps the control plane busy for
    # two milliseconds, or some more when everything changed.
    return {
        "name": "envoy.stat_sinks.metrics_service",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.config.metrics.v3.MetricsServiceConfig",
            "transport_api_version": "V3",
            "report_counters_as_deltas": False,
            "emit_tags_as_labels": False,
            "histogram_emit_mode": "SUMMARY",
            "batch_size": 1000,
            "grpc_service": {"envoy_grpc": {"cluster_name": CONTROL_PLANE_CLUSTER}},
        },
    }


def _unread_statistics() -> Json:
    # A report has all statistics. Of each native service these were half of them, and of its size: copies,
    # states of limits, and properties of clusters that have one host.
    unread = (
        r"circuit_breakers\..*",
        r"default\..*",
        r"external\..*",
        r"membership_.*",
        "warming_state",
        "upstream_cx_length_ms",
        "upstream_rq_per_cx",
    )
    of_natives = rf"cluster\.native/.*\.({'|'.join(unread)})"
    return {"exclusion_list": {"patterns": [{"safe_regex": {"regex": of_natives}}]}}


def _dns_resolver() -> Json:
    # Envoy acknowledges a cluster only when its name is resolved or given up, and on start waits for that
    # before it accepts a listener. By default it gives up a silent name server after minutes, and one such
    # native service would delay the clusters of all others.
    return _extension(
        "envoy.network.dns_resolver.cares",
        "network.dns_resolver.cares.v3.CaresDnsResolverConfig",
        query_timeout_seconds=1,
        query_tries=2,
    )


def _runtime() -> Json:
    # By default Envoy rejects regular expressions above a program size of 100: ten realistic origins. Their
    # budget is checked when a policy is saved, where the message names the expression.
    unlimited = 2**31 - 1
    return {"re2.max_program_size.error_level": unlimited, "re2.max_program_size.warn_level": unlimited}


def _overload_manager() -> Json:
    heap, connections = (
        "envoy.resource_monitors.fixed_heap",
        "envoy.resource_monitors.global_downstream_max_connections",
    )
    # In the order in which they affect clients.
    sheds = {
        "shrink_heap": 0.90,
        "disable_http_keepalive": 0.92,
        "stop_accepting_requests": 0.95,
        "stop_accepting_connections": 0.98,
    }
    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            _extension(
                heap, "resource_monitors.fixed_heap.v3.FixedHeapConfig", max_heap_size_bytes=HEAP_LIMIT_BYTES
            ),
            _extension(
                connections,
                "resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                max_active_downstream_connections=CLIENT_CONNECTIONS_LIMIT,
            ),
        ],
        "actions": [
            {
                "name": f"envoy.overload_actions.{action}",
                "triggers": [{"name": heap, "threshold": {"value": threshold}}],
            }
            for action, threshold in sheds.items()
        ],
    }


def _extension(name: str, message: str, **fields: object) -> Json:
    return {"name": name, "typed_config": {"@type": _TYPE + message, **fields}}


def command_line(
    binary: Path,
    bootstrap: Path,
    *,
    concurrency: int | None,
    drain_seconds: float,
    incarnation: str,
) -> tuple[str, ...]:
    """The arguments that start ``binary`` with the file ``bootstrap``.

    ``concurrency`` is the number of worker threads, None for one per processor that Envoy may use.
    ``drain_seconds`` is how long a replaced listener may finish its requests. ``incarnation`` is the name of
    this process: one bootstrap serves many.
    """
    identity = {"node": {"metadata": {INCARNATION: incarnation}}}
    return (
        str(binary),
        *("--config-path", str(bootstrap)),
        # Merged into the bootstrap.
        *("--config-yaml", json.dumps(identity)),
        *(() if concurrency is None else ("--concurrency", str(concurrency))),
        *("--drain-time-s", str(max(1, round(drain_seconds)))),
        # The supervisor restarts Envoy. Hot restart would claim shared memory under a number that every
        # Envoy on the machine has to agree on.
        "--disable-hot-restart",
        # Envoy would search all that it receives for unknown fields, a sixth of its work for an API. The
        # compiler's messages are of this Envoy's version.
        "--ignore-unknown-dynamic-fields",
        *("--log-level", "warning"),
        # The `misc` component warns about every use of a work-in-progress matcher, at every update.
        *("--component-log-level", "misc:error"),
        *("--log-format", LOG_FORMAT),
        "--log-format-escaped",
    )
