"""The reader of Spring Cloud Gateway's configuration; expectations were written by hand from its source."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.importers.foreign import (
    ANY_VALUE,
    DATA,
    apis_in_short,
    codes,
    policy_in_short,
    read_any,
    read_file,
    replaced,
)

from crossgate.importers.source import Source
from crossgate.importers.spring.cors import origin_pattern
from crossgate.importers.spring.reader import SPRING_CLOUD_GATEWAY

_STAR = "* Authorization"


def test_cors_metadata_of_routes() -> None:
    found = read_file(SPRING_CLOUD_GATEWAY, "spring-cloud-gateway", "per-route.yml")
    assert apis_in_short(found) == {
        "cors_preflight_test": {
            "native": "${test.uri}",
            "endpoints": ["/abc"],
            "cors": {"origins": ["*"], "methods": "GET POST", "allow": _STAR, "max_age": 30},
        },
        "cors_test": {
            "native": "${test.uri}",
            "endpoints": ["/cors"],
            "cors": {"origins": ["https://test.com"], "methods": "GET PUT", "allow": _STAR},
        },
    }


def test_the_other_gateway_of_newer_releases() -> None:
    found = read_file(SPRING_CLOUD_GATEWAY, "spring-cloud-gateway", "webmvc.yml")
    assert apis_in_short(found) == {
        "cors_route_allowed": {
            "endpoints": ["/cors-allowed"],
            "cors": {
                "origins": ["https://domain.com"],
                "methods": "GET POST",
                "allow": "X-Custom-Request-Header",
                "expose": "X-Custom-Exposed-Header",
                "credentials": True,
                "max_age": 30,
            },
        },
        "no_cors_route": {"endpoints": ["/no-cors"], "cors": {}},
        "cors_route_pattern": {
            "endpoints": ["/cors-pattern"],
            "cors": {"origins": ["https://*.spring.io"], "methods": "GET HEAD"},
        },
    }
    assert {code for code, _ in codes(found)} == {"route-rewrite", "preflights-refused", "behaviour-differs"}
    assert [len(api.native_cors) for api in found.apis] == [2, 2, 1]


def test_placeholders_and_paths() -> None:
    found = read_file(SPRING_CLOUD_GATEWAY, "spring-cloud-gateway", "sample.yml")
    assert apis_in_short(found) == {
        "websocket_test": {"native": "http://localhost:9000/echo", "endpoints": ["/echo"], "cors": {}},
        "default_path_to_httpbin": {"native": "http://httpbin.org:80", "cors": {}},
    }
    assert ("endpoint-wider", 23) in codes(found)
    assert ("path-without-endpoint", 29) in codes(found)


def test_documents_for_a_profile_are_left_out() -> None:
    found = read_file(SPRING_CLOUD_GATEWAY, "spring-cloud-gateway", "petclinic.yml")
    assert apis_in_short(found) == {
        "vets-service": {"native": "lb://vets-service", "endpoints": ["/api/vet"], "cors": {}},
        "genai-service": {"native": "lb://genai-service", "endpoints": ["/api/genai"], "cors": {}},
    }
    assert ("profile-ignored", 37) in codes(found)


def _read(gateway: dict[str, Any]) -> Any:
    text = yaml.safe_dump({"spring": {"cloud": {"gateway": gateway}}}, sort_keys=False)
    return SPRING_CLOUD_GATEWAY.read(Source("application.yml", text.encode()))


def _route(*filters: str, **more: object) -> dict[str, Any]:
    return {
        "id": "r",
        "uri": "http://n.internal",
        "predicates": ["Path=/a/b/**"],
        "filters": [*filters],
        **more,
    }


@pytest.mark.parametrize(
    ("filters", "native"),
    [
        ([], "/a/b"),
        (["StripPrefix=1"], "/b"),
        (["StripPrefix=2"], ""),
        (["StripPrefix=3"], None),
        (["StripPrefix=1", "PrefixPath=/x/"], "/x/b"),
        (["PrefixPath=/x"], "/x/a/b"),
        ([r"RewritePath=/a/(?<rest>.*), /y/$\{rest}"], "/y/b"),
        ([r"RewritePath=/a/b(?<rest>/?.*), $\{rest}"], ""),
        ([r"RewritePath=/a/?(?<rest>.*), /$\{rest}"], "/b"),
        ([r"RewritePath=/c/(?<rest>.*), /y/$\{rest}"], None),
        ([r"RewritePath=/a/(?<x>[0-9]+)/(?<rest>.*), /y/$\{rest}/$\{x}"], None),
        (["SetPath=/fixed"], None),
        (["AddRequestHeader=X-A, b", "Retry=3"], "/a/b"),
    ],
)
def test_native_path_of_filters(filters: list[str], native: str | None) -> None:
    api = _read({"routes": [_route(*filters)]}).apis[0]
    assert [one.value for one in api.natives] == ([] if native is None else [f"http://n.internal{native}"])


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", ["*"]),
        ("https://a.example", ["https://a.example"]),
        ("https://*.a.example", ["https://*.a.example"]),
        ("https://*.a.example:[8443,9443]", ["https://*.a.example:8443", "https://*.a.example:9443"]),
        ("https://*.a.example:[*]", ["https://*.a.example:*"]),
        ("http://localhost:[*]", ["http://localhost:*"]),
        ("http://localhost:*", [{"regex": "http://localhost:.*"}]),
        ("https://*a.example", [{"regex": r"https://.*a\.example"}]),
        ("https://a.*.example", [{"regex": r"https://a\..*\.example"}]),
        ("*://a.example:[1,2]", [{"regex": r".*://a\.example:(?:1|2)"}]),
    ],
)
def test_origin_patterns(pattern: str, expected: list[object]) -> None:
    assert origin_pattern(pattern) == expected


@pytest.mark.parametrize(
    "spelled",
    [
        {
            "allowedOrigins": "https://A.example/, https://b.example",
            "maxAge": "1m",
            "allowCredentials": "true",
        },
        {
            "allowed-origins": ["https://a.example", "https://b.example"],
            "max-age": 60,
            "allow-credentials": True,
        },
        {
            "ALLOWED_ORIGINS": ["https://a.example", "https://b.example/"],
            "max_age": "60s",
            "allowcredentials": True,
        },
    ],
)
def test_relaxed_names_of_global_configurations(spelled: dict[str, Any]) -> None:
    found = _read({"globalcors": {"corsConfigurations": {"[/**]": spelled}}, "routes": [_route()]})
    assert policy_in_short(found.apis[0].cors) == {
        "origins": ["https://a.example", "https://b.example"],
        "methods": "GET HEAD",
        "credentials": True,
        "max_age": 60,
    }


def test_metadata_is_taken_as_it_is_written() -> None:
    cors = {"allowed-origins": "*", "allowedMethods": "GET,POST", "allowedHeaders": ["X-A"]}
    found = _read({"routes": [_route(metadata={"cors": cors})]})
    assert policy_in_short(found.apis[0].cors) == {"methods": "GET,POST", "allow": "X-A"}
    assert "property-ignored" in {code for code, _ in codes(found)}


@pytest.mark.parametrize(
    ("configurations", "origins"),
    [
        ({"[/**]": ["https://1.example"]}, ["https://1.example"]),
        ({"[/a/**]": ["https://1.example"], "[/**]": ["https://2.example"]}, ["https://1.example"]),
        # A part of the API has a policy of its own: only what both allow is taken over.
        ({"[/a/b/c/**]": ["https://1.example"], "[/**]": ["https://2.example"]}, []),
        (
            {"[/a/b/c/**]": ["https://1.example"], "[/**]": ["https://1.example", "https://2.example"]},
            ["https://1.example"],
        ),
        # The rest of the API has none.
        ({"[/a/b/c/**]": ["https://1.example"]}, []),
        ({"[/other/**]": ["https://1.example"]}, []),
        # Spring Boot removes / and * from a key without brackets.
        ({"/**": ["https://1.example"]}, []),
    ],
)
def test_paths_of_configurations(configurations: dict[str, list[str]], origins: list[str]) -> None:
    listed = {pattern: {"allowedOrigins": values} for pattern, values in configurations.items()}
    found = _read({"globalcors": {"cors-configurations": listed}, "routes": [_route()]})
    assert policy_in_short(found.apis[0].cors).get("origins", []) == origins


@pytest.mark.parametrize(
    ("path", "origins"),
    [("/a/b/admin/**", []), ("/a/**", []), ("/a/b/**", []), ("/a/bc/**", ["https://1.example"])],
)
def test_the_own_configuration_of_another_route_counts_for_common_paths(
    path: str, origins: list[str]
) -> None:
    """Spring finds a configuration by the path of the request, whatever the route, in no defined order."""
    routes = [
        _route(metadata={"cors": {"allowedOrigins": ["https://1.example"]}}),
        _route(metadata={"cors": {"allowedOrigins": ["https://2.example"]}}, predicates=[f"Path={path}"]),
    ]
    found = _read({"routes": routes})
    assert policy_in_short(found.apis[0].cors).get("origins", []) == origins
    assert ("policies-combined" in {code for code, _ in codes(found)}) is (origins == [])


def test_the_configuration_of_a_route_replaces_a_global_one_with_its_pattern() -> None:
    own, shared = ({"allowedOrigins": [f"https://{name}.example"]} for name in ("own", "shared"))
    globalcors = {"cors-configurations": {"[/a/b/**]": shared}}
    found = _read({"globalcors": globalcors, "routes": [_route(metadata={"cors": own})]})
    assert policy_in_short(found.apis[0].cors)["origins"] == ["https://own.example"]
    assert "policies-combined" not in {code for code, _ in codes(found)}


def test_properties_files() -> None:
    text = r"""
spring.cloud.gateway.routes[0].id=orders
spring.cloud.gateway.routes[0].uri=http://orders.internal:${orders.port:8081}
spring.cloud.gateway.routes[0].predicates[0]=Path=/orders/**
spring.cloud.gateway.routes[0].filters[0]=StripPrefix=1
spring.cloud.gateway.globalcors.cors-configurations.[/**].allowedOrigins=http\://localhost\:3000,https://a.example
spring.cloud.gateway.globalcors.cors-configurations.[/**].allowed-methods=GET,\
    POST
spring.cloud.gateway.default-filters[0]=DedupeResponseHeader=Access-Control-Allow-Origin
"""
    source = Source("application.properties", text.encode())
    assert SPRING_CLOUD_GATEWAY.recognises(source)
    found = SPRING_CLOUD_GATEWAY.read(source)
    assert apis_in_short(found) == {
        "orders": {
            "native": "http://orders.internal:8081",
            "endpoints": ["/orders"],
            "cors": {"origins": ["http://localhost:3000", "https://a.example"], "methods": "GET POST"},
        }
    }
    policy = found.apis[0].cors
    assert policy is not None
    assert [one.place.line for one in (*policy.origins, *policy.methods)] == [6, 6, 7, 7]
    assert [one.place.line for one in found.apis[0].native_cors] == [9]


def test_a_route_for_some_methods() -> None:
    cors = {"allowedOrigins": "https://a.example", "allowedMethods": ["*"]}
    for methods, expected in (("GET,PUT,OPTIONS", "GET PUT"), ("GET,PUT", "")):
        predicates = ["Path=/a/**", f"Method={methods}"]
        found = _read({"routes": [_route(metadata={"cors": cors}, predicates=predicates)]})
        assert policy_in_short(found.apis[0].cors).get("methods", "") == expected


@settings(max_examples=40)
@pytest.mark.parametrize("name", ["petclinic.yml", "webmvc.yml", "team/application.yml"])
@given(path=st.lists(st.integers(0, 20), min_size=1, max_size=9), value=ANY_VALUE)
def test_any_value_anywhere_is_read_or_refused(name: str, path: list[int], value: object) -> None:
    root = next(iter(yaml.safe_load_all((DATA / "spring-cloud-gateway" / name).read_text())))
    read_any(SPRING_CLOUD_GATEWAY, replaced(root, path, value))


@given(st.text(alphabet="spring.[]-_/*=${}:ab0 \n\\u", max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    source = Source("any.properties", f"spring.cloud.gateway.routes[0].id={text}".encode())
    if SPRING_CLOUD_GATEWAY.recognises(source):
        SPRING_CLOUD_GATEWAY.read(source)
