"""Small catalogues and their parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from crossgate.catalogue.model import (
    Api,
    ApiType,
    Application,
    Catalogue,
    Gateway,
    NativeService,
    Settings,
    default_endpoint,
)
from crossgate.policy import CorsPolicy, OriginArgument, ServerPolicy, build_policy, read_server_policy

NATIVE: Final = NativeService("http", "127.0.0.1", 9101)
POLICY: Final = build_policy(
    allowed_origins=["https://app.example.com"],
    allowed_methods=["GET", "PUT"],
    allow_headers=["X-One"],
)


def policy(
    *origins: OriginArgument, methods: Iterable[str] = ("GET",), credentials: bool = False
) -> CorsPolicy:
    return build_policy(allowed_origins=origins, allowed_methods=list(methods), allow_credentials=credentials)


def server_policy(origins: str, **settings: object) -> ServerPolicy:
    """Server-level CORS for these origins; ``settings`` are named without ``watt.server.cors.``."""
    named = {f"watt.server.cors.{name}": value for name, value in settings.items()}
    enabled = {"watt.server.cors.enabled": True, "watt.server.cors.allowedOrigins": origins}
    policy, diagnostics = read_server_policy({**enabled, **named}, _read_no_file)
    assert policy is not None, diagnostics
    return policy


def _read_no_file(path: str) -> list[str]:
    raise AssertionError(f"unexpected file: {path}")


def api(
    name: str,
    cors: CorsPolicy | None = None,
    *,
    version: str = "1.0",
    endpoints: tuple[str, ...] = (),
    native: NativeService = NATIVE,
) -> Api:
    return Api(
        name=name,
        version=version,
        type=ApiType.REST,
        native=native,
        endpoints=endpoints or (default_endpoint(ApiType.REST, name, version),),
        cors=cors,
    )


def api_with_policy(name: str, *, cors: CorsPolicy | None = POLICY, **fields: Any) -> Api:
    """Version 1 of an API with a policy, in front of port 9000; ``fields`` replace others."""
    native = NativeService("http", "127.0.0.1", 9000)
    return replace(api(name, cors, version="1", native=native), **fields)


def application(name: str, *origins: str, apis: Iterable[str] = (), suspended: bool = False) -> Application:
    return Application(name, origins, tuple(apis), suspended)


def catalogue(
    apis: Iterable[Api] = (),
    applications: Iterable[Application] = (),
    *,
    gateway: Gateway | None = None,
    server_policy: ServerPolicy | None = None,
) -> Catalogue:
    return Catalogue(
        gateway or Gateway(),
        Settings(policy=server_policy),
        apis={one.key: one for one in apis},
        applications={one.name: one for one in applications},
    )
