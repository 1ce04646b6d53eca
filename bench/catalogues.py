"""Catalogues for benchmarks: the reference policy, for many APIs or with many origins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address

from crossgate.catalogue.model import Api, ApiType, Catalogue, Gateway, NativeService
from crossgate.net.address import HostPort
from crossgate.policy import CorsPolicy, OriginArgument, build_policy

METHOD = "PUT"
HEADERS = ("test1", "test2")
APIS_PER_NATIVE = 10


def origin(number: int) -> str:
    """One of any number of origins of equal length."""
    return f"https://shop-{number:06}.example.com"


def policy_of_origins(count: int) -> CorsPolicy:
    """The reference policy with ``count`` exact origins."""
    return _policy([origin(number) for number in range(count)], max_age=100)


def reference_policy(number: int, max_age: int) -> CorsPolicy:
    """The reference policy with an exact origin, a wildcard and a regular expression."""
    wildcard, expression = "https://*.example.com", {"regex": r"https://pr-[0-9]+\.preview\.example\.com"}
    return _policy((f"http://shop-{number}.example", wildcard, expression), max_age)


def _policy(origins: Sequence[OriginArgument], max_age: int) -> CorsPolicy:
    return build_policy(
        allowed_origins=origins,
        allowed_methods=["POST", "GET", METHOD],
        allow_headers=list(HEADERS),
        expose_headers=["header1", "header2"],
        allow_credentials=True,
        max_age=max_age,
    )


def api(name: str, native_port: int, cors: CorsPolicy | None) -> Api:
    """The API ``name/1`` with a native service on this machine."""
    native = NativeService("http", "127.0.0.1", native_port)
    return Api(name, "1", ApiType.REST, native, (f"/gateway/{name}/1",), cors)


def catalogue_of(port: int, apis: list[Api]) -> Catalogue:
    """A catalogue of these APIs, with the gateway on ``port``."""
    return Catalogue(Gateway(HostPort("127.0.0.1", port)), apis={one.key: one for one in apis})


def reference_apis(count: int, native_port: int) -> list[Api]:
    """``count`` APIs with the reference policy, ten for each native service.

    Each native service has its own loopback address: 127.0.1.1, 127.0.1.2 and so on.
    """
    apis = [api(f"api-{n}", native_port, reference_policy(n, max_age=100)) for n in range(count)]
    return [
        replace(one, native=replace(one.native, host=_loopback(n // APIS_PER_NATIVE)))
        for n, one in enumerate(apis)
    ]


def _loopback(number: int) -> str:
    return str(ip_address("127.0.1.1") + number)
