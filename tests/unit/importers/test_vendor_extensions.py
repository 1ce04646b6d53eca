"""CORS extensions of other gateways in OpenAPI descriptions become the API's policy."""

from __future__ import annotations

import json

import pytest
from tests.unit.importers.openapi_description import api_of, description
from tests.unit.importers.policy_shapes import DATA, shape_of

from crossgate.importers.build import build
from crossgate.importers.openapi.reader import read_openapi
from crossgate.importers.openapi.vendor_extensions import VendorCors, read_vendor_extensions
from crossgate.importers.source import Source


def _vendor(text: str) -> VendorCors:
    source = Source("api.yaml", f"openapi: 3.0.1\ninfo: {{title: Shop, version: '1'}}\n{text}".encode())
    (tree,) = source.trees
    found = read_vendor_extensions(tree)
    assert all(one.place.line for one in found.diagnostics), found.diagnostics
    return found


def _codes(found: VendorCors) -> set[str]:
    return {one.code for one in found.diagnostics} - {"behaviour-differs", "method-not-needed"}


def test_a_description_without_extensions_has_nothing() -> None:
    assert _vendor("paths: {}") == VendorCors()


def test_an_http_api() -> None:
    source = Source("api.json", (DATA / "vendor-extensions" / "amazon-http-api.json").read_bytes())
    (api,) = read_openapi(source).apis
    assert shape_of(api.cors) == {
        "origins": ["https://shop.example.com", "https://admin.example.com"],
        "methods": ["GET", "PUT"],
        "allow": ["content-type", "x-order-token"],
        "expose": ["etag"],
        "credentials": True,
        "max_age": 1800,
    }


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("'*'", "*"),
        ("https://*", {"regex": "https://.*"}),
        ("http://*", {"regex": "http://.*"}),
        ("https://a.example", "https://a.example"),
    ],
)
def test_origins_of_an_http_api(origin: str, expected: object) -> None:
    found = _vendor(f"x-amazon-apigateway-cors: {{allowOrigins: [{origin}], allowHeaders: ['*']}}")
    assert shape_of(found.policy) == {"origins": [expected], "allow": ["*"]}
    assert _codes(found) == set()  # browsers read the star that is sent in Crossgate's way


def test_a_literal_star_allows_nothing_with_credentials() -> None:
    found = _vendor(
        "x-amazon-apigateway-cors:\n  {allowOrigins: [https://a.example], allowMethods: ['*'],"
        " allowHeaders: ['*'], allowCredentials: true}"
    )
    assert shape_of(found.policy) == {"origins": ["https://a.example"], "credentials": True}
    assert _codes(found) == {"star-with-credentials"}


def _mock(**headers: str) -> dict[str, object]:
    """An OPTIONS operation that answers with these headers, besides Content-Type as allowed header."""
    named = {"Headers": "'Content-Type'"} | headers
    parameters = {
        f"method.response.header.Access-Control-Allow-{name}": value for name, value in named.items()
    }
    responses = {"default": {"statusCode": "200", "responseParameters": parameters}}
    return {"x-amazon-apigateway-integration": {"type": "mock", "responses": responses}}


def _rest(**paths: object) -> VendorCors:
    return _vendor(f"paths: {json.dumps({f'/{name}': item for name, item in paths.items()})}")


def test_mock_integrations_of_a_rest_api() -> None:
    """A method counts unless a path that has it does not allow it."""
    one, other = "'GET,OPTIONS'", "'PUT,DELETE'"
    found = _rest(
        a={"get": {}, "put": {}, "options": _mock(Origin="'https://a.example'", Methods=one)},
        b={
            "put": {},
            "delete": {},
            "options": _mock(Origin="'https://a.example'", Methods=other, Credentials="'true'"),
        },
        c={"parameters": []},
    )
    assert shape_of(found.policy) == {
        "origins": ["https://a.example"],
        "methods": ["GET", "DELETE"],  # not PUT: /a has it, and does not allow it
        "allow": ["Content-Type"],
    }
    assert _codes(found) == {"policies-combined"}


def test_a_path_without_preflight_response_allows_no_origin() -> None:
    found = _rest(a={"get": {}, "options": _mock(Origin="'*'", Methods="'GET'")}, b={"get": {}})
    assert shape_of(found.policy) == {"methods": ["GET"], "allow": ["Content-Type"]}
    assert _codes(found) == {"path-without-cors"}


def test_a_header_that_is_not_a_literal_is_a_warning() -> None:
    found = _rest(a={"options": _mock(Origin="integration.response.header.Origin", Methods="'GET'")})
    assert shape_of(found.policy) == {"methods": ["GET"], "allow": ["Content-Type"]}
    assert _codes(found) == {"header-not-literal"}


def test_wso2() -> None:
    extension = (
        "accessControlAllowOrigins: [https://a.example], accessControlAllowMethods: [GET, OPTIONS],"
        " accessControlAllowHeaders: [apikey], accessControlExposeHeaders: [X-Total],"
        " accessControlAllowCredentials: true"
    )
    assert shape_of(_vendor(f"x-wso2-cors: {{corsConfigurationEnabled: true, {extension}}}").policy) == {
        "origins": ["https://a.example"],
        "methods": ["GET"],
        "allow": ["apikey"],
        "expose": ["X-Total"],
        "credentials": True,
    }
    assert _vendor(f"x-wso2-cors: {{{extension}}}").policy is not None
    disabled = _vendor(f"x-wso2-cors: {{corsConfigurationEnabled: false, {extension}}}")
    assert disabled.policy is None
    assert _codes(disabled) == {"vendor-cors-disabled"}


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("'*'", "*"),
        ("HTTPS://A.example", "https://a.example"),
        ("https://*.a.example", "https://*.a.example"),
        ("https://*a.example", {"regex": r"https://.*a\.example"}),
        ("http://localhost:*", {"regex": "http://localhost:.*"}),
    ],
)
def test_tyk(origin: str, expected: object) -> None:
    lists = f"allowedOrigins: [{origin}], allowedMethods: [get, '*'], allowedHeaders: [X-A]"
    cors = f"{{enabled: true, {lists}, maxAge: 24}}"
    found = _vendor(f"x-tyk-api-gateway: {{middleware: {{global: {{cors: {cors}}}}}}}")
    assert shape_of(found.policy) == {
        "origins": [expected], "methods": ["GET"], "allow": ["X-A"], "max_age": 24,
    }  # fmt: skip


def test_empty_lists_of_tyk_are_its_defaults() -> None:
    found = _vendor("x-tyk-api-gateway: {middleware: {global: {cors: {enabled: true, maxAge: 0}}}}")
    assert shape_of(found.policy) == {
        "origins": ["*"],
        "methods": ["GET", "HEAD", "POST"],
        "allow": ["Accept", "Content-Type", "X-Requested-With"],
    }
    assert _vendor("x-tyk-api-gateway: {middleware: {global: {cors: {enabled: false}}}}").policy is None


def test_the_plugin_of_kong_at_paths_and_operations() -> None:
    plugin = "{origins: [https://a.example, https://b.example], methods: [GET, PUT], headers: [X-A]}"
    narrow = "{config: {origins: [https://a.example], methods: [GET], headers: [X-A]}}"
    found = _vendor(f"x-kong-plugin-cors: {plugin}\npaths: {{/x: {{get: {{x-kong-plugin-cors: {narrow}}}}}}}")
    shape = shape_of(found.policy) or {}
    assert shape["origins"] == ["https://a.example"]
    assert shape["methods"] == ["GET"]
    assert "policies-combined" in _codes(found)
    only_below = _vendor(f"paths: {{/x: {{get: {{x-kong-plugin-cors: {narrow}}}}}}}")
    assert "origins" not in (shape_of(only_below.policy) or {})


def test_headers_of_amazons_error_responses_are_reported() -> None:
    found = _vendor(
        "x-amazon-apigateway-gateway-responses: {DEFAULT_4XX: {responseParameters: "
        "{gatewayresponse.header.Access-Control-Allow-Origin: \"'*'\"}}}"
    )
    assert found.policy is None
    assert _codes(found) == {"error-response-cors"}
    assert not _codes(_vendor("x-amazon-apigateway-gateway-responses: {DEFAULT_4XX: {statusCode: '404'}}"))


def test_several_vendors_are_combined() -> None:
    found = _vendor(
        "x-amazon-apigateway-cors: {allowOrigins: ['*'], allowMethods: [GET, PUT]}\n"
        "x-wso2-cors: {accessControlAllowOrigins: [https://a.example], accessControlAllowMethods: [GET]}"
    )
    assert shape_of(found.policy) == {"origins": ["https://a.example"], "methods": ["GET"]}
    assert _codes(found) == {"policies-combined"}


@pytest.mark.parametrize(
    "text",
    [
        "x-google-endpoints: [{name: a.endpoints.p.cloud.goog, allowCors: true}]",
        "servers: [{url: https://a.example, x-google-endpoint: {allowCors: true}}]",
    ],
)
def test_google_leaves_cors_to_the_native_service(text: str) -> None:
    found = _vendor(text)
    assert [one.value for one in found.native_cors] == ["allowCors"]
    assert found.policy is None
    assert not _vendor(text.replace("true", "false")).native_cors


@pytest.mark.parametrize(
    "text",
    [
        "x-ibm-configuration: {cors: {enabled: true}}",
        "x-ibm-configuration: {cors: [{action: allow, originList: [a.example]}]}",
        "paths: {/x: {get: {x-zuplo-route: {corsPolicy: anything-goes}}}}",
    ],
)
def test_extensions_that_name_no_origins_are_a_warning(text: str) -> None:
    found = _vendor(text)
    assert found.policy is None
    assert _codes(found) == {"vendor-cors-unread"}


@pytest.mark.parametrize("value", ["null", "7", "x", "[]", "[7]", "{x: 1}"])
@pytest.mark.parametrize(
    "key", ["x-amazon-apigateway-cors", "x-wso2-cors", "x-kong-plugin-cors", "x-tyk-api-gateway", "paths"]
)
def test_values_of_other_types_do_no_harm(key: str, value: str) -> None:
    _vendor(f"{key}: {value}")
    _vendor(f"{key}: {{/a: {value}, allowOrigins: {value}, maxAge: {value}, origins: {value}}}")


def test_the_policy_replaces_the_suggested_one() -> None:
    document = description(
        **{"x-amazon-apigateway-cors": {"allowOrigins": ["https://a.example"]}},
        servers=[{"url": "https://api.example"}],
        paths={"/x": {"put": {"responses": {}}}},
    )
    api = api_of(document)
    assert shape_of(api.cors) == {"origins": ["https://a.example"]}


def test_nothing_is_left_for_the_builder_to_refuse() -> None:
    source = Source("api.json", (DATA / "vendor-extensions" / "amazon-http-api.json").read_bytes())
    imported = build(read_openapi(source))
    assert not [one for one in imported.diagnostics if one.severity == "error"]
