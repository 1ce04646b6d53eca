"""Envoy's routes become APIs, with the policies that its CORS filter applies to them."""

from __future__ import annotations

import json

import pytest
from tests.unit.importers.policy_shapes import (
    api_named,
    codes_of,
    policies_of,
    read_file,
    read_text,
)

from crossgate.diagnostics import Diagnostic, InvalidInput, Severity
from crossgate.importers.build import build
from crossgate.importers.envoy.reader import ENVOY
from crossgate.importers.found import Contents


@pytest.mark.parametrize(
    ("name", "host"),
    [("cors-example.yaml", "backend-service:8080"), ("cors-example-old.yaml", "backendservice:8000")],
)
def test_envoys_example(name: str, host: str) -> None:
    contents = read_file(ENVOY, name)
    restricted = {"origins": [{"regex": r".*\.envoyproxy\.io"}], "methods": ["GET"]}
    assert policies_of(contents) == {
        "www-cors-open": {"origins": ["*"], "methods": ["GET"]},
        "www-cors-disabled": None,
        "www-cors-restricted": restricted,
        # The rest of the paths: no origin is allowed below all of them.
        "www": {"methods": ["GET"]},
    }
    open_api = api_named(contents, "www-cors-open")
    assert [found.value for found in open_api.endpoints] == ["/cors/open"]
    assert [found.value for found in open_api.natives] == [f"http://{host}/cors/open"]
    assert open_api.natives[0].place.line is not None
    assert [found.value for found in api_named(contents, "www").endpoints] == []
    assert codes_of(contents) == {"policies-combined", "behaviour-differs"}
    (combined,) = (one for one in contents.diagnostics if one.code == "policies-combined")
    assert combined.severity is Severity.WARNING


def _bootstrap(
    policy: object,
    *,
    host: object = None,
    route: object = None,
    filters: object = None,
    cluster: object = None,
) -> Contents:
    """What is found with the policy at the route, and others at its virtual host and for its action."""
    name = "envoy.filters.http.cors"
    manager = {
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "shop",
                    "domains": ["*"],
                    "typed_per_filter_config": {} if host is None else {name: host},
                    "routes": [
                        {
                            "match": {"prefix": "/shop/"},
                            "route": {"cluster": "c", **(route if isinstance(route, dict) else {})},
                            "typed_per_filter_config": {} if policy is None else {name: policy},
                        }
                    ],
                }
            ]
        },
        "http_filters": [{"name": name}] if filters is None else filters,
    }
    address = {"socket_address": {"address": "shop.internal", "port_value": 443}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    clusters = [{"name": "c", "load_assignment": {"endpoints": endpoints}, **(cluster or {})}]  # type: ignore[dict-item]  # a mapping
    listeners = [{"filter_chains": [{"filters": [{"typed_config": manager}]}]}]
    return read_text(ENVOY, json.dumps({"static_resources": {"listeners": listeners, "clusters": clusters}}))


def _origins(*matchers: object) -> list[object]:
    contents = _bootstrap({"allow_origin_string_match": list(matchers), "allow_methods": "GET"})
    (api,) = contents.apis
    return [] if api.cors is None else [found.value for found in api.cors.origins]


@pytest.mark.parametrize(
    ("matcher", "expected"),
    [
        ({"exact": "https://a.example"}, "https://a.example"),
        ({"exact": "HTTPS://A.example", "ignore_case": True}, "https://a.example"),
        ({"prefix": "https://a."}, {"regex": r"https://a\..*"}),
        ({"suffix": ".a.example"}, {"regex": r".*\.a\.example"}),
        ({"contains": "a.example"}, {"regex": r".*a\.example.*"}),
        ({"safe_regex": {"regex": r"https://[a-z]+\.a\.example"}}, {"regex": r"https://[a-z]+\.a\.example"}),
        ({"safeRegex": {"regex": r"^https://a\.example$"}}, "https://a.example"),
        # The filter tries each matcher with the string * first.
        ({"exact": "*"}, "*"),
        ({"prefix": "*"}, "*"),
        ({"prefix": ""}, "*"),
        ({"suffix": "*"}, "*"),
        ({"safe_regex": {"regex": r"\*"}}, "*"),
        ({"safe_regex": {"regex": ".*"}}, "*"),
        ({"safe_regex": {"regex": "https://.*|.?"}}, "*"),
    ],
)
def test_matchers_of_origins(matcher: object, expected: object) -> None:
    assert _origins(matcher) == [expected]


def test_a_matcher_that_cannot_be_read_is_a_warning_at_its_place() -> None:
    contents = _bootstrap({"allow_origin_string_match": [{"custom": {}}, {"safe_regex": {"regex": "("}}]})
    warnings = [one for one in contents.diagnostics if one.severity is Severity.WARNING]
    assert [one.code for one in warnings] == ["wrong-type", "regex-untranslatable"]
    assert all(one.place.line is not None for one in warnings)


def test_each_property_is_of_the_most_specific_policy_that_has_it() -> None:
    contents = _bootstrap(
        {"allow_methods": "PUT, DELETE", "allow_credentials": False},
        host={
            "allow_origin_string_match": [{"exact": "https://a.example"}],
            "allow_methods": "*",
            "allow_headers": "X-One,x-two",
            "expose_headers": "x-three",
            "max_age": "600",
            "allow_credentials": True,
        },
    )
    assert policies_of(contents) == {
        "shop-shop": {
            "origins": ["https://a.example"],
            "methods": ["PUT", "DELETE"],
            "allow": ["X-One", "x-two"],
            "expose": ["x-three"],
            "credentials": False,
            "max_age": 600,
        }
    }


def test_old_fields_count_only_without_filter_configuration() -> None:
    old = {
        "cors": {
            "allow_origin": ["https://old.example"],
            "allow_origin_regex": [r"https://\w+\.old\.example"],
        }
    }
    contents = _bootstrap(None, route=old)
    assert policies_of(contents) == {
        "shop-shop": {
            "origins": ["https://old.example", {"regex": r"https://\w+\.old\.example"}],
            "methods": ["GET", "HEAD", "POST"],
        }
    }
    contents = _bootstrap({"allow_origin_string_match": [{"exact": "https://a.example"}]}, route=old)
    assert (policies_of(contents)["shop-shop"] or {})["origins"] == ["https://a.example"]


def _share(numerator: int) -> object:
    return {"default_value": {"numerator": numerator, "denominator": "HUNDRED"}}


@pytest.mark.parametrize(
    ("policy", "enforced", "code"),
    [
        ({}, True, None),
        ({"filter_enabled": _share(100)}, True, None),
        ({"filter_enabled": _share(0)}, False, None),
        ({"filter_enabled": _share(20)}, True, "cors-for-a-share"),
        ({"filter_enabled": _share(0), "shadow_enabled": _share(100)}, True, "cors-in-shadow"),
        ({"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}, False, None),
    ],
)
def test_whether_the_filter_is_enabled(policy: dict[str, object], enforced: bool, code: str | None) -> None:
    host = {"allow_origin_string_match": [{"exact": "https://a.example"}]}
    contents = _bootstrap(policy, host=host)
    (api,) = contents.apis
    assert (api.cors is not None) is enforced
    assert codes_of(contents) - {"behaviour-differs"} == ({code} if code else set())


def test_a_policy_without_the_filter_is_pass_through() -> None:
    contents = _bootstrap({"allow_methods": "GET"}, filters=[{"name": "envoy.filters.http.router"}])
    assert policies_of(contents) == {"shop-shop": None}
    assert codes_of(contents) == {"cors-filter-missing"}


def test_private_network_access_and_stars_are_reported() -> None:
    contents = _bootstrap({"allow_private_network_access": True, "allow_headers": "*"})
    assert {"private-network-access", "star-without-authorization"} <= codes_of(contents)


@pytest.mark.parametrize(
    ("route", "native"),
    [
        ({}, "https://shop.internal:443/shop"),
        ({"prefix_rewrite": "/"}, "https://shop.internal:443"),
        ({"prefixRewrite": "/v2"}, "https://shop.internal:443/v2"),
    ],
)
def test_native_service(route: object, native: str) -> None:
    contents = _bootstrap(
        None, route=route, cluster={"transport_socket": {"name": "envoy.transport_sockets.tls"}}
    )
    (api,) = contents.apis
    assert [found.value for found in api.natives] == [native]
    assert [found.value for found in api.endpoints] == ["/shop"]
    assert not [one for one in build(contents).diagnostics if one.severity is Severity.ERROR]


def test_a_dump_of_the_admin_interface() -> None:
    """Static route configurations are in it twice; addresses of EDS are in a part of their own."""
    config = {
        "name": "r",
        "virtual_hosts": [
            {
                "name": "v",
                "domains": ["shop.example"],
                "routes": [
                    {"match": {"path": "/x"}, "route": {"weighted_clusters": {"clusters": [
                        {"name": "few", "weight": 1}, {"name": "many", "weight": 9}]}}},
                    {"match": {"prefix": "/"}, "redirect": {"https_redirect": True}},
                ],
            }
        ],
    }  # fmt: skip
    address = {"socket_address": {"address": "::1", "port_value": 80}}
    assignment = {
        "cluster_name": "many",
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
    }
    prefix = "type.googleapis.com/envoy.admin.v3."
    typed = {"@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", **config}
    dump = {
        "configs": [
            {"@type": f"{prefix}ListenersConfigDump", "route_config": config},
            {"@type": f"{prefix}RoutesConfigDump", "static_route_configs": [{"route_config": typed}]},
            {
                "@type": f"{prefix}EndpointsConfigDump",
                "dynamic_endpoint_configs": [{"endpoint_config": assignment}],
            },
        ]
    }
    contents = read_text(ENVOY, json.dumps(dump))
    (api,) = contents.apis
    assert api.cors is None
    assert [found.value for found in api.natives] == ["http://[::1]:80/x"]
    assert codes_of(contents) == {"endpoint-wider", "native-chosen", "route-domains", "route-skipped"}


def test_a_document_without_routes_is_an_error() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_text(ENVOY, "static_resources: {clusters: []}")
    (error,) = refused.value.diagnostics
    assert isinstance(error, Diagnostic)
    assert error.code == "nothing-found"


@pytest.mark.parametrize("value", ["null", "7", "[]", "x", "{virtual_hosts: 7}", "{routes: [7], domains: 7}"])
def test_values_of_other_types_do_no_harm(value: str) -> None:
    route = f"{{route: {{cors: {value}}}, match: {value}}}"
    read_text(ENVOY, f"virtual_hosts: [{value}, {{name: {value}, routes: [{value}, {route}]}}]")


def test_a_policy_of_one_path_is_not_used_for_another_cluster() -> None:
    """Only requests that reach the same native paths through an API limit its policy."""
    cors = {"allow_origin_string_match": [{"exact": "https://a.example"}], "allow_methods": "GET"}
    other = {"allow_origin_string_match": [{"exact": "https://b.example"}], "allow_methods": "GET"}
    routes = [
        {"name": "same", "match": {"prefix": "/a/x"}, "route": {"cluster": "one", "cors": other}},
        {"name": "other", "match": {"prefix": "/a/y"}, "route": {"cluster": "two", "cors": other}},
        {"name": "beside", "match": {"prefix": "/ab"}, "route": {"cluster": "one", "cors": other}},
        {"name": "outer", "match": {"prefix": "/a"}, "route": {"cluster": "one"}},
    ]
    for cluster, expected in (("one", None), ("three", ["https://a.example"])):
        routes[0]["route"] = {"cluster": cluster, "cors": other}
        host = {"name": "v", "cors": cors, "routes": routes}
        contents = read_text(ENVOY, json.dumps({"virtual_hosts": [host]}))
        assert (policies_of(contents)["outer"] or {}).get("origins") == expected
