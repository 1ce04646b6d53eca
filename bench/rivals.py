"""The peers in the gateway's benchmark: Envoy with simpler configurations, and nginx.

The Envoys have Crossgate's own bootstrap and listener, hardening included, and forward with Crossgate's route
for an API without a policy: prefix removed, X-Forwarded-* set. They have one API, so no scope is looked up.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any as Json

import httpx
from bench.catalogues import HEADERS, METHOD, api, origin
from bench.machine import cores
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_components_pb2 import VirtualHost
from envoy.extensions.filters.http.cors.v3 import cors_pb2
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from google.protobuf import json_format

from crossgate.catalogue.effective import time_limits
from crossgate.catalogue.limits import Limits
from crossgate.catalogue.model import Gateway
from crossgate.compiler.flow_routes import compile_flow
from crossgate.compiler.listener import compile_listener
from crossgate.compiler.names import cluster_name
from crossgate.compiler.routes import RouteOwner
from crossgate.dataplane.binary import find_envoy
from crossgate.dataplane.bootstrap import bootstrap, command_line, dumps
from crossgate.net.address import HostPort, UnixSocket

_CORS = "envoy.filters.http.cors"
_CORS_TYPE = f"type.googleapis.com/{cors_pb2.CorsPolicy.DESCRIPTOR.full_name}"
_FILTER_TYPE = f"type.googleapis.com/{cors_pb2.Cors.DESCRIPTOR.full_name}"
_SECONDS = 20.0
ORIGINS = 10


def bare_envoy(port: int, native_port: int) -> bytes:
    """Envoy without a policy: every request is forwarded."""
    return _static(port, native_port, [_forwarded(native_port)], [])


def fixed_envoy(port: int, native_port: int) -> bytes:
    """Envoy with the same response to every preflight, unchecked: the upper bound of its throughput."""
    headers = {
        "Access-Control-Allow-Origin": origin(7),
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": f"POST, GET, {METHOD}",
        "Access-Control-Allow-Headers": ", ".join(HEADERS),
        "Access-Control-Max-Age": "100",
        "Vary": "Origin",
    }
    preflight = {
        "match": {"prefix": "/", "headers": [{"name": ":method", "string_match": {"exact": "OPTIONS"}}]},
        "direct_response": {"status": 200},
        "response_headers_to_add": [
            {"header": {"key": name, "value": value}} for name, value in headers.items()
        ],
    }
    return _static(port, native_port, [preflight, _forwarded(native_port)], [])


def cors_filter_envoy(port: int, native_port: int) -> bytes:
    """Envoy with its own CORS filter, with the same origins, methods and headers."""
    policy = {
        "@type": _CORS_TYPE,
        "allow_origin_string_match": [{"exact": origin(number)} for number in range(ORIGINS)],
        "allow_methods": f"POST, GET, {METHOD}",
        "allow_headers": ", ".join(HEADERS),
        "expose_headers": "header1, header2",
        "max_age": "100",
        "allow_credentials": True,
    }
    route = {**_forwarded(native_port), "typed_per_filter_config": {_CORS: policy}}
    return _static(port, native_port, [route], [{"name": _CORS, "typed_config": {"@type": _FILTER_TYPE}}])


def _forwarded(native_port: int) -> dict[str, Json]:
    """Crossgate's own route for an API without a policy."""
    served = api("few", native_port, None)
    owner = RouteOwner.of_api(
        served, served.endpoints[0], time_limits(served, Limits()), prefix_in_scope=False
    )
    # The routes before it refuse malformed requests.
    host = VirtualHost()
    compile_flow(None, owner).put_into(host)
    *_, route = host.routes
    return dict(json_format.MessageToDict(route, preserving_proto_field_name=True))


def _static(port: int, native_port: int, routes: list[Json], filters: list[Json]) -> bytes:
    listener = Listener.FromString(
        compile_listener(
            Gateway(HostPort("127.0.0.1", port)), server_level=False, outside_default_roots=False
        ).body
    )
    packed = listener.filter_chains[0].filters[-1].typed_config
    manager = HttpConnectionManager()
    packed.Unpack(manager)
    manager.ClearField("early_header_mutation_extensions")
    manager.ClearField("scoped_routes")
    edge = json_format.MessageToDict(manager, preserving_proto_field_name=True)
    router = [one for one in edge["http_filters"] if one["name"] == "envoy.filters.http.router"]
    edge["http_filters"] = [*filters, *router]
    hosts = [{"name": "all", "domains": ["*"], "routes": routes}]
    host_header = {"key": "x-forwarded-host", "value": "%REQ(:AUTHORITY)%"}
    edge["route_config"] = {
        "name": "routes",
        "virtual_hosts": hosts,
        "request_headers_to_add": [{"header": host_header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
    }
    edge["@type"] = f"type.googleapis.com/{HttpConnectionManager.DESCRIPTOR.full_name}"
    listener.filter_chains[0].ClearField("filters")
    served = json_format.MessageToDict(listener, preserving_proto_field_name=True)
    served["filter_chains"] = [{"filters": [{"name": "http", "typed_config": edge}]}]
    address = {"socket_address": {"address": "127.0.0.1", "port_value": native_port}}
    name = cluster_name(api("few", native_port, None).native)
    native = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }
    document = json.loads(
        bootstrap("rival", UnixSocket(Path("/nowhere")), Path("/nowhere"), Path("/nowhere"))
    )
    del document["dynamic_resources"], document["stats_sinks"], document["admin"]
    document["static_resources"] = {"listeners": [served], "clusters": [native]}
    return dumps(document)


NGINX_NATIVE = """
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ default_type text/plain; return 200 "ok"; }}
    }}
"""
NGINX_RIVAL = """
    upstream native {{ server 127.0.0.1:{native_port}; keepalive 64; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            set $cors "";
            if ($http_origin ~ "^(?:{origins})$") {{ set $cors "allowed"; }}
            if ($request_method = OPTIONS) {{ set $cors "$cors preflight"; }}
            if ($cors = "allowed preflight") {{
                add_header Access-Control-Allow-Origin $http_origin;
                add_header Access-Control-Allow-Credentials true;
                add_header Access-Control-Allow-Methods "POST, GET, {method}";
                add_header Access-Control-Allow-Headers "{headers}";
                add_header Access-Control-Max-Age 100;
                add_header Vary Origin;
                return 200;
            }}
            if ($cors = "allowed") {{
                add_header Access-Control-Allow-Origin $http_origin always;
                add_header Access-Control-Allow-Credentials true always;
                add_header Access-Control-Expose-Headers "header1, header2" always;
                add_header Vary Origin always;
            }}
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://native;
        }}
    }}
"""
_NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {servers}
}}
"""


def nginx_rival(port: int, native_port: int) -> str:
    """A typical hand-written server block, with the same origins, methods and headers."""
    origins = "|".join(origin(number).replace(".", r"\.") for number in range(ORIGINS))
    return NGINX_RIVAL.format(
        port=port, native_port=native_port, origins=origins, method=METHOD, headers=", ".join(HEADERS)
    )


@contextmanager
def envoy(document: bytes, port: int, folder: Path) -> Iterator[list[int]]:
    """An Envoy with one worker on the measured core; yields its process when it is ready."""
    file = folder / f"envoy-{port}.json"
    file.write_bytes(document)
    argv = command_line(find_envoy().path, file, concurrency=1, drain_seconds=1, incarnation="bench")
    with _process(argv, cores().measured, port, folder) as process:
        yield [process.pid]


@contextmanager
def nginx(servers: str, port: int, folder: Path, core: int) -> Iterator[list[int]]:
    """An nginx with one worker; yields its processes when it is ready."""
    home = folder / f"nginx-{port}"
    home.mkdir()
    file = home / "nginx.conf"
    file.write_text(_NGINX.format(folder=home, servers=servers), encoding="utf-8")
    argv = ("nginx", "-p", str(home), "-c", str(file), "-e", str(home / "error.log"))
    with _process(argv, core, port, folder) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield [process.pid, *map(int, children)]


@contextmanager
def _process(argv: tuple[str, ...], core: int, port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(["taskset", "--cpu-list", str(core), *argv], stdout=log, stderr=log)
    try:
        _wait_until_ready(process, port, folder / f"{port}.log")
        yield process
    finally:
        process.terminate()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/")
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not respond:\n{log.read_text(errors='replace')}")
