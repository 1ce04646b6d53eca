"""What the settings of a gateway compile to, and the same as a static configuration that Envoy can validate.

`envoy --mode validate` judges static listeners and clusters; it does not fetch what comes over xDS. So routes
become part of an internal listener each, secrets are read from their files, and a probe API stands for all
APIs: one `https` native service for the authorities, one route configuration for what the settings bring into
every scope.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any as Json
from typing import Final

from google.protobuf.any_pb2 import Any
from google.protobuf.json_format import MessageToDict

from crossgate.catalogue.model import Api, ApiType, Catalogue, Gateway, NativeService, Settings, Tls
from crossgate.compiler.incremental import Compilation
from crossgate.compiler.resource import (
    CLUSTER,
    LISTENER,
    ROUTE_CONFIGURATION,
    SCOPED_ROUTE_CONFIGURATION,
    Resource,
    ResourceKey,
)
from crossgate.compiler.secrets import parse_secret_name
from crossgate.policy import build_policy

_PROBE: Final = Api(
    "probe",
    "1",
    ApiType.REST,
    NativeService("https", "127.0.0.1", 9),
    cors=build_policy(allowed_origins=["https://a.example"], allowed_methods=["GET"]),
)
_HTTP: Final = "type.googleapis.com/envoy.extensions.filters.http"
_MANAGER: Final = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)


def compile_settings(gateway: Gateway, settings: Settings, system_ca: str) -> Mapping[ResourceKey, Resource]:
    """The resources that depend on the settings, for a gateway with one API."""
    catalogue = Catalogue(gateway, settings, apis={_PROBE.key: _PROBE})
    return Compilation().advance(catalogue, system_ca)[0].resources


def static_resources(resources: Iterable[Resource]) -> dict[str, list[Json]]:
    """The resources as JSON for ``static_resources`` of a bootstrap."""
    listeners, clusters = [], []
    for one in resources:
        message = _as_json(one)
        match one.type_url:
            case kind if kind == LISTENER:
                listeners.append(message)
            case kind if kind == CLUSTER:
                clusters.append(message)
            case kind if kind == ROUTE_CONFIGURATION:
                listeners.append(_listener_of(message))
            case kind if kind == SCOPED_ROUTE_CONFIGURATION:
                listeners.append(_listener_of(message["route_configuration"]))
    return {"listeners": listeners, "clusters": clusters}


def _as_json(resource: Resource) -> dict[str, Json]:
    packed = Any(type_url=resource.type_url, value=resource.body)
    message: dict[str, Json] = MessageToDict(packed, preserving_proto_field_name=True)
    del message["@type"]
    separate_scopes(message)
    _read_files(message)
    return message


def _read_files(message: Json) -> None:
    """Replace each reference to a secret by the files that it is named after: no secret is fetched."""
    if isinstance(message, list):
        for one in message:
            _read_files(one)
    elif isinstance(message, dict):
        for one in message.values():
            _read_files(one)
        if "tls_certificate_sds_secret_configs" in message:
            names = [one["name"] for one in message.pop("tls_certificate_sds_secret_configs")]
            pairs = [pair for name in names if isinstance(pair := parse_secret_name(name), Tls)]
            message["tls_certificates"] = [
                {"certificate_chain": {"filename": one.certificate}, "private_key": {"filename": one.key}}
                for one in pairs
            ]
        if (combined := message.pop("combined_validation_context", None)) is not None:
            file = parse_secret_name(combined["validation_context_sds_secret_config"]["name"])
            trusted = {"trusted_ca": {"filename": file}}
            message["validation_context"] = combined["default_validation_context"] | trusted


def separate_scopes(message: Json) -> None:
    """Give each logger that counts a scope of its own: Envoy 1.40 accepts shared ones, and then crashes."""
    if isinstance(message, list):
        for one in message:
            separate_scopes(one)
    elif isinstance(message, dict):
        if "stats_scope" in message:
            message["stat_prefix"] = message.pop("stats_scope")["prefix"]
        for one in message.values():
            separate_scopes(one)


def _listener_of(routes: Mapping[str, Json]) -> dict[str, Json]:
    """An internal listener with these routes."""
    manager = {
        "@type": _MANAGER,
        "stat_prefix": "routes",
        "route_config": routes,
        "http_filters": [
            {
                "name": "envoy.filters.http.header_mutation",
                "typed_config": {"@type": f"{_HTTP}.header_mutation.v3.HeaderMutation"},
            },
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{_HTTP}.router.v3.Router"}},
        ],
    }
    return {
        "name": f"routes {routes['name']}",
        "internal_listener": {},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
