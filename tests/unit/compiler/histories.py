"""Histories of arbitrary catalogues; with few names, so that many changes are small."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from tests.catalogues import POLICY, catalogue, server_policy
from tests.catalogues import api_with_policy as api

from crossgate.catalogue.limits import Limits
from crossgate.catalogue.model import Api, Application, Catalogue, Gateway, NativeService, Tls
from crossgate.catalogue.telemetry import AccessLog, Telemetry
from crossgate.catalogue.underscore_headers import UnderscoreHeaders
from crossgate.policy import Mode, PlainOptions, SameOrigin, build_policy

_POLICIES = (
    None,
    POLICY,
    build_policy(allowed_origins=["*"], allowed_methods=["*"], allow_headers=["*"]),
    build_policy(
        allowed_origins=[f"https://{number}.example.com" for number in range(9)], allow_credentials=True
    ),
    replace(POLICY, mode=Mode.OBSERVE),
    replace(POLICY, plain_options=PlainOptions.FORWARD),
)
_NATIVES = (
    NativeService("http", "127.0.0.1", 9000),
    NativeService("http", "127.0.0.1", 9000, "/v2"),
    NativeService("https", "pets.example.com", 443, "/v2"),
    NativeService("https", "pets.example.com", 443),
    NativeService("http", "pets.example.com", 443),
    NativeService("https", "pets.example.com.", 443),
    NativeService("http", "::1", 9000),
)
_ENDPOINTS = ("/shop/pets", "/shop/cats/v1", "/pets", "/gateway/a/1/deep", "/gateway/a/1/deeper", "/ws/a/1")
_SERVER = server_policy("https://app.example.com")
_NAMES = ("a", "b", "c")


@st.composite
def _apis(draw: st.DrawFn) -> list[Api]:
    names = draw(st.lists(st.sampled_from(_NAMES), unique=True))
    owners = [draw(st.sampled_from((*names, None))) for _ in _ENDPOINTS]
    made = []
    for name in names:
        endpoints = tuple(path for path, owner in zip(_ENDPOINTS, owners, strict=True) if owner == name)
        made.append(
            api(
                name,
                cors=draw(st.sampled_from(_POLICIES)),
                native=draw(st.sampled_from(_NATIVES)),
                native_timeout=draw(st.sampled_from((None, 0.5))),
                websocket_idle_timeout=draw(st.sampled_from((None, 0.0))),
                endpoints=endpoints or (f"/gateway/{name}/default",),
            )
        )
    return made


_applications = st.lists(
    st.builds(
        Application,
        st.sampled_from(("shop", "kiosk")),
        st.sampled_from((("https://shop.example.com",), ("https://kiosk.example.com", "http://a.example"))),
        st.lists(st.sampled_from([f"{name}/1" for name in _NAMES]), unique=True).map(tuple),
        st.booleans(),
    ),
    unique_by=lambda application: application.name,
)
_gateways = st.builds(
    Gateway,
    tls=st.sampled_from(((), (), (Tls("/etc/gateway.pem", "/etc/gateway.key"),))),
    native_ca=st.sampled_from((None, None, "/etc/natives.pem")),
    public_origins=st.sampled_from(((), (), ("https://gateway.example.com",))),
    same_origin=st.sampled_from(SameOrigin),
    trusted_proxies=st.sampled_from(((), (), ("10.0.0.0/8", "::1/128"))),
    denied_native_networks=st.sampled_from(((), ("169.254.0.0/16",))),
    limits=st.sampled_from(
        (Limits(), Limits(), Limits(native_timeout=0.5), Limits(max_headers=50), Limits(max_streams=50))
    ),
    underscore_headers=st.sampled_from(UnderscoreHeaders),
    telemetry=st.sampled_from((Telemetry(), Telemetry(), Telemetry(enabled=False), Telemetry(True, 0, 7))),
    access_log=st.sampled_from((None, None, AccessLog("/var/log/access.log"))),
    ready_path=st.booleans(),
)


@st.composite
def _catalogues(draw: st.DrawFn, gateways: st.SearchStrategy[Gateway] = _gateways) -> Catalogue:
    server = draw(st.sampled_from((None, None, _SERVER, replace(_SERVER, max_age=5))))
    return catalogue(draw(_apis()), draw(_applications), gateway=draw(gateways), server_policy=server)


@st.composite
def _part_of(draw: st.DrawFn, before: Catalogue, after: Catalogue) -> Catalogue:
    """``before`` with one part of ``after``: most changes are of one kind."""
    part = draw(st.sampled_from(("apis", "applications", "gateway", "settings")))
    return replace(before, **{part: getattr(after, part)})


@st.composite
def histories(draw: st.DrawFn) -> list[Catalogue]:
    """A sequence of catalogues."""
    found = [draw(_catalogues())]
    for _ in range(draw(st.integers(1, 5))):
        after = draw(_catalogues())
        found.append(draw(_part_of(found[-1], after)) if draw(st.booleans()) else after)
    return found
