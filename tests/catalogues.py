"""Small catalogues and their parts, for tests that need some."""

from __future__ import annotations

from collections.abc import Iterable

from crossgate.catalogue.model import Api, ApiType, Application, Catalogue, NativeService, default_endpoint
from crossgate.policy import CorsPolicy, build_policy

NATIVE = NativeService("http", "127.0.0.1", 9101)


def policy(*origins: object, methods: Iterable[str] = ("GET",), credentials: bool = False) -> CorsPolicy:
    return build_policy(allowed_origins=origins, allowed_methods=list(methods), allow_credentials=credentials)


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


def application(name: str, *origins: str, apis: Iterable[str] = (), suspended: bool = False) -> Application:
    return Application(name, origins, tuple(apis), suspended)


def catalogue(apis: Iterable[Api] = (), applications: Iterable[Application] = ()) -> Catalogue:
    return Catalogue(
        apis={one.key: one for one in apis}, applications={one.name: one for one in applications}
    )
