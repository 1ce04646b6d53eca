"""One change, one resource: the resources that are compiled and sent, by kind of change."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.catalogues import POLICY, catalogue, server_policy
from tests.catalogues import api_with_policy as api

from crossgate.catalogue.limits import Limits
from crossgate.catalogue.model import Application, Catalogue, Gateway, NativeService, Settings, Tls
from crossgate.catalogue.telemetry import AccessLog, Telemetry
from crossgate.compiler.incremental import Compilation
from crossgate.compiler.resource import (
    CLUSTER,
    LISTENER,
    ROUTE_CONFIGURATION,
    SCOPED_ROUTE_CONFIGURATION,
    TOKEN_BUCKET,
)
from crossgate.policy import SameOrigin

PETS = api("pets", native=NativeService("http", "127.0.0.1", 9001))
SHOP = api("shop", endpoints=("/shop/v1",))
CAFE = api("cafe", endpoints=("/shop/cafe",), native=NativeService("https", "cafe.example.com", 443))
OPEN = replace(
    api("open", cors=None, native=replace(SHOP.native, base_path="/open")),
    native_timeout=5.0,
    native_idle_timeout=60.0,
    websocket_idle_timeout=600.0,
)
KIOSK = Application("kiosk", ("https://kiosk.example.com",), (PETS.key, SHOP.key))
FIRST = catalogue([PETS, SHOP, CAFE, OPEN], [KIOSK])

Touched = set[tuple[str, str]]
PETS_SCOPE = (SCOPED_ROUTE_CONFIGURATION, "pets/1")
SHOP_SCOPE = (SCOPED_ROUTE_CONFIGURATION, "-/shop")
OPEN_SCOPE = (SCOPED_ROUTE_CONFIGURATION, "open/1")
PETS_CLUSTER = (CLUSTER, "native/http/127.0.0.1:9001")
SHOP_CLUSTER = (CLUSTER, "native/http/127.0.0.1:9000")
CAFE_CLUSTER = (CLUSTER, "native/https/cafe.example.com:443")
THE_LISTENER = (LISTENER, "gateway")
INTERNAL_LISTENER = (LISTENER, "apis")
INTERNAL_CLUSTER = (CLUSTER, "apis")
WITH_POLICY: Touched = {PETS_SCOPE, SHOP_SCOPE}


def with_pets(**fields: object) -> Catalogue:
    return replace(FIRST, apis={**FIRST.apis, PETS.key: replace(PETS, **fields)})  # type: ignore[arg-type]


def with_kiosk(**fields: object) -> Catalogue:
    changed = replace(KIOSK, **fields)  # type: ignore[arg-type]
    return replace(FIRST, applications={"kiosk": changed})


def with_gateway(**fields: object) -> Catalogue:
    return replace(FIRST, gateway=Gateway(**fields))  # type: ignore[arg-type]


def with_limits(**fields: object) -> Catalogue:
    return with_gateway(limits=Limits(**fields))  # type: ignore[arg-type]


def without(key: str) -> Catalogue:
    return replace(FIRST, apis={other: one for other, one in FIRST.apis.items() if other != key})


SERVER: Touched = {(ROUTE_CONFIGURATION, "server-level-cors"), THE_LISTENER}
CHANGES: dict[str, tuple[Catalogue, Touched]] = {
    "nothing": (FIRST, set()),
    "a policy": (with_pets(cors=replace(POLICY, max_age=5)), {PETS_SCOPE}),
    "a policy is removed": (with_pets(cors=None), {PETS_SCOPE}),
    "an endpoint is added": (
        with_pets(endpoints=(*PETS.endpoints, "/zoo/pets")),
        {(SCOPED_ROUTE_CONFIGURATION, "-/zoo")},
    ),
    "an endpoint moves": (
        with_pets(endpoints=("/shop/pets",)),
        {PETS_SCOPE, SHOP_SCOPE},
    ),
    "a timeout": (with_pets(native_timeout=1.0), {PETS_SCOPE}),
    "an idle time": (with_pets(native_idle_timeout=1.0), {PETS_SCOPE}),
    "the idle time of WebSockets": (with_pets(websocket_idle_timeout=0.0), {PETS_SCOPE}),
    "a timeout that is the default": (with_pets(native_timeout=30.0), set()),
    "the default timeout": (with_limits(native_timeout=0.0), {PETS_SCOPE, SHOP_SCOPE}),
    "the default idle time": (with_limits(native_idle_timeout=60.0), {PETS_SCOPE, SHOP_SCOPE}),
    "the default idle time of WebSockets": (
        with_limits(websocket_idle_timeout=3600.0),
        {PETS_SCOPE, SHOP_SCOPE},
    ),
    "the time for a head": (with_limits(head_timeout=5.0), {THE_LISTENER}),
    "trusted proxies": (with_gateway(trusted_proxies=("10.0.0.0/8",)), {THE_LISTENER}),
    "denied networks": (with_gateway(denied_native_networks=("10.0.0.0/8",)), set()),
    "the number of connections": (with_limits(max_connections=5), {THE_LISTENER}),
    "the size of a head": (
        with_limits(max_head_kib=16),
        {THE_LISTENER, INTERNAL_LISTENER, INTERNAL_CLUSTER, PETS_CLUSTER, SHOP_CLUSTER, CAFE_CLUSTER},
    ),
    "the concurrent requests to a native service": (
        with_limits(max_native_requests=5),
        {PETS_CLUSTER, SHOP_CLUSTER, CAFE_CLUSTER},
    ),
    "a base path": (with_pets(native=replace(PETS.native, base_path="/v2")), {PETS_SCOPE}),
    "a native service's port": (
        with_pets(native=replace(PETS.native, port=1)),
        {PETS_SCOPE, PETS_CLUSTER, (CLUSTER, "native/http/127.0.0.1:1")},
    ),
    "the native service of others": (with_pets(native=SHOP.native), {PETS_SCOPE, PETS_CLUSTER}),
    "an API is removed": (without(PETS.key), {PETS_SCOPE, PETS_CLUSTER}),
    "one API of a shared native service is removed": (without(OPEN.key), {OPEN_SCOPE}),
    "one API of a shared scope is removed": (without(CAFE.key), {SHOP_SCOPE, CAFE_CLUSTER}),
    "an API is added": (
        replace(FIRST, apis={**FIRST.apis, "new/1": api("new")}),
        {(SCOPED_ROUTE_CONFIGURATION, "new/1")},
    ),
    "an API is added with its native service": (
        replace(FIRST, apis={**FIRST.apis, "new/1": api("new", native=NativeService("http", "::1", 9000))}),
        {(SCOPED_ROUTE_CONFIGURATION, "new/1"), (CLUSTER, "native/http/[::1]:9000")},
    ),
    "an API replaces another": (
        replace(without(PETS.key), apis={**without(PETS.key).apis, "new/1": replace(PETS, name="new")}),
        {PETS_SCOPE},
    ),
    "an application is suspended": (with_kiosk(suspended=True), {PETS_SCOPE, SHOP_SCOPE}),
    "an association is removed": (with_kiosk(apis=(PETS.key,)), {SHOP_SCOPE}),
    "an association with an API without policy": (with_kiosk(apis=(*KIOSK.apis, OPEN.key)), set()),
    "an origin that the policy allows already": (
        with_kiosk(javascript_origins=(*KIOSK.javascript_origins, "https://app.example.com")),
        set(),
    ),
    "public origins": (with_gateway(public_origins=("https://gateway.example.com",)), WITH_POLICY),
    "same-origin requests by list only": (with_gateway(same_origin=SameOrigin.LISTED), WITH_POLICY),
    "authorities for native services": (with_gateway(native_ca="/etc/ca.pem"), {CAFE_CLUSTER}),
    "the listener's certificate": (with_gateway(tls=(Tls("/etc/a.pem", "/etc/a.key"),)), {THE_LISTENER}),
    "how many refusals are reported": (
        with_gateway(telemetry=Telemetry(refusals_per_second=10)),
        {(TOKEN_BUCKET, name) for name in ("refusals", "refusals-browsers", "drawn-refusals")},
    ),
    "no samples of allowed requests": (
        with_gateway(telemetry=Telemetry(allowed_per_second=0)),
        {(TOKEN_BUCKET, name) for name in ("allowed", "drawn-allowed")},
    ),
    "no telemetry": (
        with_gateway(telemetry=Telemetry(enabled=False)),
        {
            *((TOKEN_BUCKET, name) for name in ("refusals", "refusals-browsers", "drawn-refusals")),
            *((TOKEN_BUCKET, name) for name in ("allowed", "drawn-allowed")),
            THE_LISTENER,
            INTERNAL_LISTENER,
        },
    ),
    "an access log": (with_gateway(access_log=AccessLog("/var/log/a.log")), {THE_LISTENER}),
    "the readiness path": (with_gateway(ready_path=True), {THE_LISTENER}),
    "server-level CORS": (
        replace(FIRST, settings=Settings(policy=server_policy("https://app.example.com"))),
        WITH_POLICY | SERVER,
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_affects_only_resources_that_depend_on_it(change: str) -> None:
    after, touched = CHANGES[change]
    compilation, _ = Compilation().advance(FIRST, "/etc/ca-certificates.crt")
    back, changes = compilation.advance(after, "/etc/ca-certificates.crt")
    assert set(changes) == touched
    assert set(back.advance(FIRST, "/etc/ca-certificates.crt")[1]) == touched


def test_a_policy_is_one_resource_among_many_apis() -> None:
    apis = [api(f"api{number}") for number in range(500)]
    compilation, _ = Compilation().advance(catalogue(apis), "")
    apis[250] = replace(apis[250], cors=replace(POLICY, max_age=5))
    assert set(compilation.advance(catalogue(apis), "")[1]) == {(SCOPED_ROUTE_CONFIGURATION, "api250/1")}


def test_a_cluster_is_added_with_its_first_api_and_removed_with_its_last() -> None:
    [*apis] = (
        api(f"api{number}", native=replace(SHOP.native, base_path=f"/{number}")) for number in range(3)
    )
    compilation = Compilation()
    for count, with_cluster in ((1, True), (3, False), (2, False), (0, True), (2, True), (0, True)):
        compilation, changes = compilation.advance(catalogue(apis[:count]), "")
        assert (SHOP_CLUSTER in changes) == with_cluster
        assert (SHOP_CLUSTER in compilation.resources) == bool(count)


def test_a_scope_needs_its_clusters() -> None:
    compilation, _ = Compilation().advance(FIRST, "")
    assert compilation.resources[SHOP_SCOPE].needs == (SHOP_CLUSTER, CAFE_CLUSTER)
    for key, one in compilation.resources.items():
        assert {needed for needed in one.needs if needed not in compilation.resources} == set(), key


def test_server_settings_are_one_resource() -> None:
    on = replace(FIRST, settings=Settings(policy=server_policy("https://app.example.com")))
    compilation, _ = Compilation().advance(on, "")
    longer = replace(FIRST, settings=Settings(policy=server_policy("https://app.example.com", maxAge=5)))
    assert set(compilation.advance(longer, "")[1]) == {(ROUTE_CONFIGURATION, "server-level-cors")}


def test_only_the_first_and_last_endpoint_outside_the_roots_change_the_listeners() -> None:
    listeners = {THE_LISTENER, (LISTENER, "apis")}
    under_roots = catalogue([PETS])
    one = catalogue([PETS, CAFE])
    two = catalogue([PETS, CAFE, SHOP])
    cafe = {SHOP_SCOPE, CAFE_CLUSTER}
    shop = {SHOP_SCOPE, SHOP_CLUSTER}

    compilation, _ = Compilation().advance(under_roots, "/ca.pem")
    for following, touched in (
        (one, listeners | cafe),
        (two, shop),
        (one, shop),
        (under_roots, listeners | cafe),
    ):
        compilation, changes = compilation.advance(following, "/ca.pem")
        assert set(changes) == touched
