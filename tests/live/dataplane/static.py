"""A bootstrap that serves without a control plane: one listener, one native service."""

import json
from pathlib import Path

from crossgate.dataplane.bootstrap import bootstrap, dumps
from crossgate.net.address import UnixSocket

_TYPE = "type.googleapis.com/envoy.extensions.filters."


def static_bootstrap(admin_socket: Path, port: int, native_port: int) -> bytes:
    """The product's bootstrap, with what the control plane would send written into it."""
    return _static(admin_socket, [listener(port)], [native(native_port)])


def layered_bootstrap(admin_socket: Path, port: int, native_port: int) -> bytes:
    """The same, with a listener in front that passes everything on to one inside Envoy."""
    inside = _listener("inside", _ROUTES) | {"internal_listener": {}}
    passing: list[dict[str, object]] = [
        {"match": {"prefix": "/"}, "route": {"cluster": "inside", "timeout": "0s"}}
    ]
    front = _listener("ingress", passing) | {"address": _address(port)}
    to_inside = _cluster("inside", {"envoy_internal_address": {"server_listener_name": "inside"}})
    return _static(admin_socket, [front, inside], [native(native_port), to_inside])


def listener(port: int) -> dict[str, object]:
    """``/here`` is answered by Envoy, anything else by the cluster ``native``."""
    return _listener("ingress", _ROUTES) | {"address": _address(port)}


def native(port: int) -> dict[str, object]:
    """The cluster ``native``: whatever listens on ``port``."""
    return _cluster("native", _address(port))


_ROUTES: list[dict[str, object]] = [
    {"match": {"path": "/here"}, "direct_response": {"status": 200}},
    {"match": {"prefix": "/"}, "route": {"cluster": "native", "timeout": "0s"}},
]


def _static(admin_socket: Path, listeners: list[object], clusters: list[object]) -> bytes:
    document = json.loads(bootstrap("test", UnixSocket(Path("/nowhere")), admin_socket, Path("/nowhere")))
    del document["dynamic_resources"], document["stats_sinks"]
    document["static_resources"] = {"listeners": listeners, "clusters": clusters}
    return dumps(document)


def _listener(name: str, routes: list[dict[str, object]]) -> dict[str, object]:
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": _TYPE + "http.router.v3.Router"},
    }
    connection_manager = {
        "@type": _TYPE + "network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "route_config": {"name": "r", "virtual_hosts": [{"name": "v", "domains": ["*"], "routes": routes}]},
        "http_filters": [router],
    }
    filter_ = {"name": "envoy.filters.network.http_connection_manager", "typed_config": connection_manager}
    return {"name": name, "filter_chains": [{"filters": [filter_]}]}


def _cluster(name: str, address: dict[str, object]) -> dict[str, object]:
    endpoint = {"endpoint": {"address": address}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
