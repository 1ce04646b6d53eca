"""A bootstrap that serves without a control plane: one listener, one native service."""

import json
import socket
from pathlib import Path

from crossgate.dataplane.bootstrap import Node, UnixSocket, bootstrap, dumps

_TYPE = "type.googleapis.com/envoy.extensions.filters."


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def static_bootstrap(admin_socket: Path, port: int, native_port: int) -> bytes:
    """The product's bootstrap, with what the control plane would send written into it."""
    document = json.loads(bootstrap(Node("test"), UnixSocket(Path("/nowhere")), admin_socket))
    del document["dynamic_resources"]
    document["static_resources"] = {"listeners": [listener(port)], "clusters": [native(native_port)]}
    return dumps(document)


def listener(port: int) -> dict[str, object]:
    """``/here`` is answered by Envoy, anything else by the cluster ``native``."""
    routes = [
        {"match": {"path": "/here"}, "direct_response": {"status": 200}},
        {"match": {"prefix": "/"}, "route": {"cluster": "native", "timeout": "0s"}},
    ]
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": _TYPE + "http.router.v3.Router"},
    }
    connection_manager = {
        "@type": _TYPE + "network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "ingress",
        "route_config": {"name": "r", "virtual_hosts": [{"name": "v", "domains": ["*"], "routes": routes}]},
        "http_filters": [router],
    }
    filter_ = {"name": "envoy.filters.network.http_connection_manager", "typed_config": connection_manager}
    return {"name": "ingress", "address": _address(port), "filter_chains": [{"filters": [filter_]}]}


def native(port: int) -> dict[str, object]:
    """The cluster ``native``: whatever listens on ``port``."""
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": "native",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": "native", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
