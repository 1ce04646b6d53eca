"""HTTPRoutes become APIs, with the policies of their CORS filters."""

from __future__ import annotations

import json

import pytest
from tests.unit.importers.policy_shapes import (
    api_named,
    codes_of,
    policies_of,
    read_file,
    read_text,
    shape_of,
)

from crossgate.diagnostics import InvalidInput, Severity
from crossgate.importers.build import build
from crossgate.importers.found import Contents
from crossgate.importers.gateway_api.reader import GATEWAY_API


def test_routes_of_the_conformance_tests() -> None:
    contents = read_file(GATEWAY_API, "httproute-cors.yaml")
    assert policies_of(contents) == {
        "cors-multiple-origins-methods-headers": {
            "origins": ["https://www.foo.com", "https://*.bar.com"],
            "methods": ["GET", "HEAD", "POST"],
            "allow": ["x-header-1", "x-header-2"],
            "expose": ["x-header-3", "x-header-4"],
            "credentials": True,
            "max_age": 3600,
        },
        "cors-wildcard-methods": {"origins": ["https://www.foo.com"], "methods": ["*"], "max_age": 5},
    }
    first = api_named(contents, "cors-multiple-origins-methods-headers")
    assert [found.value for found in first.endpoints] == ["/cors-1"]
    assert [found.value for found in first.natives] == [
        "http://infra-backend-v1.gateway-conformance-infra.svc.cluster.local:8080/cors-1"
    ]
    assert codes_of(contents) == {"method-not-needed", "behaviour-differs"}


def test_a_filter_without_origins_allows_nobody() -> None:
    contents = read_file(GATEWAY_API, "cors-allow-credentials-behavior.yaml")
    methods = ["GET", "HEAD", "POST"]
    assert policies_of(contents) == {
        "cors-allow-credentials-cors-behavior-creds-false": {
            "methods": methods, "credentials": False, "max_age": 5,
        },
        "cors-allow-credentials-cors-behavior-creds-true": {
            "methods": methods, "credentials": True, "max_age": 5,
        },
    }  # fmt: skip
    assert "cors-without-origins" in codes_of(contents)


def _route(*rules: object, name: str = "shop", **spec: object) -> dict[str, object]:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {"rules": list(rules), **spec},
    }


def _rule(cors: object = None, path: str = "/shop", **more: object) -> dict[str, object]:
    return {
        "matches": [{"path": {"type": "PathPrefix", "value": path}}],
        "backendRefs": [{"name": "shop", "port": 80}],
        "filters": [] if cors is None else [{"type": "CORS", "cors": cors}],
        **more,
    }


def _read(*routes: object) -> Contents:
    return read_text(GATEWAY_API, json.dumps({"kind": "List", "apiVersion": "v1", "items": list(routes)}))


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("*", "*"),
        ("https://a.example", "https://a.example"),
        ("https://a.example:443", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("http://a.example:443", "http://a.example:443"),
        ("https://*.a.example", "https://*.a.example"),
        ("https://*.a.example:8443", "https://*.a.example:8443"),
        ("https://*", {"regex": r"https\://[^:]+"}),
        ("https://*a.example", {"regex": r"https\://[^:]*a\.example"}),
        ("https://a-*.example:8443", {"regex": r"https\://a-[^:]*\.example:8443"}),
    ],
)
def test_origins(origin: str, expected: object) -> None:
    contents = _read(_route(_rule({"allowOrigins": [origin]})))
    found = (shape_of(contents.apis[0].cors) or {})["origins"]
    if isinstance(expected, dict):
        expected = {"regex": expected["regex"].replace("\\:", ":")}
    assert found == [expected]


def test_all_origins_with_credentials_are_left_out_with_a_warning() -> None:
    """A Gateway reflects any origin then, and Crossgate never does."""
    contents = _read(_route(_rule({"allowOrigins": ["*"], "allowCredentials": True, "allowHeaders": ["*"]})))
    imported = build(contents)
    assert not [one.path for one in imported.taken if "allowed_origins" in one.path]
    warnings = [one.code for one in imported.diagnostics if one.severity is Severity.WARNING]
    assert warnings == ["origin-star-credentials"]
    assert "star-without-authorization" in codes_of(contents)


def test_a_rule_without_filter_is_pass_through() -> None:
    contents = _read(_route(_rule()))
    assert policies_of(contents) == {"shop": None}
    assert contents.diagnostics == ()


def test_native_services() -> None:
    rewrite = {
        "type": "URLRewrite",
        "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}},
    }
    backends = [
        {"name": "old", "port": 8080, "weight": 1},
        {"name": "new", "namespace": "prod", "port": 80, "weight": 9},
        {"name": "off", "port": 80, "weight": 0},
        {"kind": "Bucket", "name": "files"},
    ]
    contents = _read(_route(_rule(filters=[rewrite], backendRefs=backends)))
    assert [found.value for found in contents.apis[0].natives] == [
        "http://new.prod.svc.cluster.local",
        "http://old.default.svc.cluster.local:8080",
    ]
    assert codes_of(contents) == {"native-undetermined"}
    assert "native-chosen" in {one.code for one in build(contents).diagnostics}


def test_a_policy_is_not_laxer_than_that_of_a_path_below() -> None:
    contents = _read(
        _route(
            _rule({"allowOrigins": ["*"], "maxAge": 60}, "/"),
            _rule({"allowOrigins": ["https://admin.example"]}, "/admin"),
        )
    )
    origins = {name: (policy or {}).get("origins") for name, policy in policies_of(contents).items()}
    assert origins == {"shop": ["https://admin.example"], "shop-admin": ["https://admin.example"]}
    assert "policies-combined" in codes_of(contents)


def test_filters_of_backends_allow_what_those_of_all_backends_allow() -> None:
    """A request may go to any of them, and the one that becomes the native service may be the last one."""
    filters = [
        [{"type": "CORS", "cors": {"allowOrigins": [f"https://{name}.example", "https://both.example"]}}]
        for name in ("one", "two")
    ]
    backends: list[dict[str, object]] = [
        {"name": "few", "port": 80, "weight": 1, "filters": filters[0]},
        {"name": "many", "port": 80, "weight": 9, "filters": filters[1]},
    ]
    contents = _read(_route(_rule(backendRefs=backends)))
    assert (policies_of(contents)["shop"] or {})["origins"] == ["https://both.example"]
    assert "policies-combined" in codes_of(contents)
    contents = _read(_route(_rule(backendRefs=[backends[0], {"name": "many", "port": 80}])))
    assert (policies_of(contents)["shop"] or {"origins": 1}).get("origins") is None


def test_routes_of_other_hosts_and_services_are_on_their_own() -> None:
    contents = _read(
        _route(_rule({"allowOrigins": ["*"]}, "/"), hostnames=["a.example"]),
        _route(_rule({"allowOrigins": ["https://b.example"]}, "/x"), name="b", hostnames=["b.example"]),
    )
    assert (policies_of(contents)["shop"] or {})["origins"] == ["*"]
    assert codes_of(contents) == {"route-domains", "behaviour-differs"}


def test_other_conditions_are_reported() -> None:
    matches = [
        {"path": {"type": "Exact", "value": "/x"}, "method": "GET"},
        {"path": {"type": "RegularExpression", "value": "/y.*"}},
    ]
    contents = _read(_route(_rule(matches=matches), {"filters": [{"type": "RequestRedirect"}]}))
    assert codes_of(contents) == {
        "endpoint-wider",
        "route-conditions",
        "path-without-endpoint",
        "route-skipped",
    }


def test_manifests_without_routes_are_an_error() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_text(GATEWAY_API, "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway}")
    assert refused.value.diagnostics[0].code == "nothing-found"


@pytest.mark.parametrize("value", [None, 7, "x", [], [7], {"x": 1}])
def test_values_of_other_types_do_no_harm(value: object) -> None:
    _read(_route(value), _route(_rule(value)), _route(_rule({"allowOrigins": value, "maxAge": value})))
    _read({**_route(_rule()), "spec": value}, {**_route(_rule()), "metadata": value})
