"""Catalogues to be compiled and enforced: every API has a policy unless the test says otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from crossgate.catalogue.model import Api, ApiType, Application, Catalogue, Gateway, NativeService
from crossgate.policy import CorsPolicy, ServerPolicy, build_policy, read_server_policy

POLICY = build_policy(
    allowed_origins=["https://app.example.com"],
    allowed_methods=["GET", "PUT"],
    allow_headers=["X-One"],
)


def api(name: str, *, cors: CorsPolicy | None = POLICY, **fields: object) -> Api:
    """``name/1`` at its default endpoint, before ``http://127.0.0.1:9000``; ``fields`` replace others."""
    native = NativeService("http", "127.0.0.1", 9000)
    made = Api(name, "1", ApiType.REST, native, (f"/gateway/{name}/1",), cors)
    return replace(made, **fields)  # type: ignore[arg-type]  # the test knows which


def catalogue(
    apis: Iterable[Api] = (),
    applications: Iterable[Application] = (),
    *,
    gateway: Gateway | None = None,
    server_policy: ServerPolicy | None = None,
) -> Catalogue:
    """A catalogue of these."""
    return Catalogue(
        gateway or Gateway(),
        server_policy,
        apis={one.key: one for one in apis},
        applications={one.name: one for one in applications},
    )


def server_policy(origins: str, **settings: object) -> ServerPolicy:
    """Server-level CORS for these origins; ``settings`` are named without ``watt.server.cors.``."""
    named = {f"watt.server.cors.{name}": value for name, value in settings.items()}
    enabled = {"watt.server.cors.enabled": True, "watt.server.cors.allowedOrigins": origins}
    policy, diagnostics = read_server_policy({**enabled, **named}, _read_no_file)
    assert policy is not None, diagnostics
    return policy


def _read_no_file(path: str) -> list[str]:
    raise AssertionError(f"no file is to be read: {path}")
