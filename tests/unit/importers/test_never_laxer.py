"""No imported policy allows an origin that the source's program would not: cases that an attacker found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from crossgate.diagnostics import InvalidInput
from crossgate.importers.result import Imported
from crossgate.importers.source import Source
from crossgate.service.imports import import_sources


def imported(text: str, kind: str) -> Imported:
    return import_sources([Source("document", text.encode())], kind)


def origins(made: Imported) -> Mapping[str, object]:
    """The allowed origins by API; None for pass-through."""
    apis: Any = made.document["apis"]
    return {one["name"]: one["cors"]["allowed_origins"] if "cors" in one else None for one in apis}


def warnings(made: Imported) -> set[str]:
    return {one.code for one in made.diagnostics if one.severity.name == "WARNING"}


_KONG = """
services:
- name: s
  url: http://n.example/
  routes:
  - name: outer
    paths: [{outer}]
    strip_path: false
    plugins: [{{name: cors, config: {{origins: ["*"]}}}}]
- name: t
  url: {native}
  routes:
  - {{name: inner, paths: [/api/admin], strip_path: {strip}, plugins: [{inner}]}}
"""
_STRICT = '{name: cors, config: {origins: ["https://only.example"]}}'


@pytest.mark.parametrize(
    ("outer", "native", "strip", "inner", "expected"),
    [
        # Requests for /api/admin reach the outer API.
        ("/api", "http://n.example/", "false", _STRICT, ["https://only.example"]),
        ("/api", "http://n.example/", "false", "{name: key-auth}", []),
        # The outer API has its default endpoint, and everything in the native service below it.
        ("/", "http://n.example/", "false", _STRICT, ["https://only.example"]),
        ("/", "http://m.example/", "false", _STRICT, ["*"]),
        ("/apis", "http://n.example/", "false", _STRICT, ["*"]),
    ],
)
def test_a_path_of_kong_does_not_allow_more_than_those_below_it(
    outer: str, native: str, strip: str, inner: str, expected: list[str]
) -> None:
    made = imported(_KONG.format(outer=outer, native=native, strip=strip, inner=inner), "kong")
    assert origins(made)["s"] == expected
    assert ("policies-combined" in warnings(made)) == (expected != ["*"])


_SPRING = """
spring:
  cloud.gateway:
    globalcors: {cors-configurations: {'[/**]': {allowedOrigins: ["*"]}}}
    routes:
    - {id: a, uri: 'http://a.example', predicates: [Path=/api/**]}
"""
_GLOBAL = "spring.cloud.gateway.globalcors.cors-configurations.[/**]"


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (f"'{_GLOBAL}.allowedOrigins': https://b.example", ["https://b.example"]),
        (f"'{_GLOBAL}.allowedOrigins':", []),
        # With true, Spring would answer 500.
        (f"'{_GLOBAL}.allowCredentials': ${{UNKNOWN}}", []),
        (f"spring.profiles: dev\n'{_GLOBAL}.allowedOrigins': https://b.example", ["*"]),
    ],
)
def test_a_later_document_of_spring_replaces_values_and_lists(later: str, expected: list[str]) -> None:
    assert origins(imported(f"{_SPRING}---\n{later}\n", "spring-cloud-gateway"))["a"] == expected


@pytest.mark.parametrize(
    "condition", ["on-profile=dev", "on-cloud-platform=kubernetes"], ids=["profile", "platform"]
)
def test_documents_of_a_properties_file_are_separate(condition: str) -> None:
    made = imported(
        f"{_GLOBAL}.allowedOrigins=https://only.example\n"
        "spring.cloud.gateway.routes[0].id=a\n"
        "spring.cloud.gateway.routes[0].uri=http://a.example\n"
        "spring.cloud.gateway.routes[0].predicates[0]=Path=/a/**\n"
        "#---\n"
        f"spring.config.activate.{condition}\n"
        f"{_GLOBAL}.allowedOrigins=*\n",
        "spring-cloud-gateway",
    )
    assert origins(made)["a"] == ["https://only.example"]


def test_spring_finds_the_metadata_of_another_route_by_the_path() -> None:
    made = imported(
        _SPRING
        + """
    - id: b
      uri: http://b.example
      predicates: [Path=/api/admin/**]
    - id: c
      uri: http://c.example
      predicates: [Path=/api/**]
      metadata: {cors: {allowedOrigins: "https://only.example"}}
""",
        "spring-cloud-gateway",
    )
    assert origins(made) == {
        "a": ["https://only.example"],
        "b": ["https://only.example"],
        "c": ["https://only.example"],
    }


def _envoy(route: Mapping[str, object], **cors: object) -> str:
    routes = [{"match": {"prefix": "/a"}, "route": route, "typed_per_filter_config": {_FILTER: cors}}]
    address = {"socket_address": {"address": "n.example", "port_value": 80}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    return json.dumps(
        {
            "static_resources": {
                "clusters": [
                    {"name": name, "load_assignment": {"endpoints": endpoints}} for name in ("c", "d")
                ],
                "listeners": [{"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": routes}]}],
            }
        }
    )


_FILTER = "envoy.filters.http.cors"


def test_clusters_of_an_envoy_route_have_policies_of_their_own() -> None:
    route = {
        "weighted_clusters": {
            "clusters": [
                {"name": "c", "weight": 2},
                {
                    "name": "d",
                    "weight": 1,
                    "typed_per_filter_config": {
                        _FILTER: {"allow_origin_string_match": [{"exact": "https://only.example"}]}
                    },
                },
            ]
        }
    }
    made = imported(_envoy(route, allow_origin_string_match=[{"exact": "*"}]), "envoy")
    assert origins(made)["v-a"] == ["https://only.example"]


@pytest.mark.parametrize(("listed", "expected"), [("*", ["*"]), ("*, X-A", ["X-A"])])
def test_envoy_reflects_a_star_that_is_alone(listed: str, expected: list[str]) -> None:
    made = imported(
        _envoy(
            {"cluster": "c"},
            allow_origin_string_match=[{"exact": "https://a.example"}],
            allow_credentials=True,
            allow_headers=listed,
        ),
        "envoy",
    )
    apis: Any = made.document["apis"]
    assert apis[0]["cors"]["allow_headers"] == expected


_ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: x}
spec:
  rules:
  - {matches: [{path: {value: /api}, method: GET}], backendRefs: [{name: s, port: 80}]}
  - matches: [{path: {value: %s}, method: POST}]
    backendRefs: [{name: s, port: 80}]
    filters: [{type: CORS, cors: {allowOrigins: ["https://a.example,https://b.example", "https://c.example"]}}]
"""


def test_a_rule_of_the_gateway_api_with_the_same_path_is_not_lost() -> None:
    made = imported(_ROUTE % "/api", "gateway-api")
    assert origins(made) == {"x": []}
    assert "policies-combined" in warnings(made)


def test_an_origin_with_a_comma_is_none() -> None:
    made = imported(_ROUTE % "/other", "gateway-api")
    assert origins(made)["x-other"] == ["https://c.example"]


def test_no_response_of_an_amazon_preflight_is_laxer() -> None:
    header = "method.response.header.Access-Control-Allow-Origin"
    responses = {
        code: {"responseParameters": {header: origin}}
        for code, origin in (("default", "'https://a.example'"), ("4..", "'*'"))
    }
    paths = {
        "/a": {
            "get": {"responses": {}},
            "options": {"x-amazon-apigateway-integration": {"type": "mock", "responses": responses}},
        }
    }
    info = {"title": "a", "version": "1"}
    text = {"openapi": "3.0.0", "info": info, "servers": [{"url": "http://n.example"}], "paths": paths}
    assert origins(imported(json.dumps(text), "openapi")) == {"a": ["https://a.example"]}


def test_lines_of_a_properties_file_are_not_continued_without_bound() -> None:
    with pytest.raises(InvalidInput) as refused:
        imported("watt.server.cors." + "\\\n" * 500_000, "webmethods-settings")
    assert [one.code for one in refused.value.diagnostics] == ["properties-syntax"]
