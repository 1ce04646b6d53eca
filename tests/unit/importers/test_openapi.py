"""The OpenAPI reader: versions, names, methods, headers, credentials."""

from __future__ import annotations

import pytest
from tests.unit.importers.openapi_description import api_of, codes, description, policy_of, read, swagger

from crossgate.diagnostics import InvalidInput
from crossgate.importers.found import Found
from crossgate.importers.openapi.reader import recognises_openapi
from crossgate.importers.source import Source


def values(found: tuple[Found[str], ...]) -> list[str]:
    return list(dict.fromkeys(one.value for one in found))


@pytest.mark.parametrize(
    "text",
    [
        'swagger: "2.0"',
        "swagger: 2.0",
        "swagger: 2",
        "openapi: 3.0.0",
        "openapi: 3.0.4",
        "openapi: 3.1",
        '{"openapi": "3.1.1"}',
        '{"openapi": "3.2.0"}',
        "\ufeffopenapi: 3.0.0-rc1",
    ],
)
def test_a_description_is_recognised_and_read(text: str) -> None:
    source = Source("a.yaml", text.encode())
    assert recognises_openapi(source)
    assert read(text).apis


@pytest.mark.parametrize(
    "text", ["swagger: 1.2", "swaggerVersion: '1.2'", "openapi: 4.0.0", "openapi: 3.3.0"]
)
def test_another_version_is_an_error_that_names_those_that_are_read(text: str) -> None:
    assert recognises_openapi(Source("a.yaml", text.encode()))
    with pytest.raises(InvalidInput) as refused:
        read(text)
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.code == "openapi-version"
    assert "2.0, 3.0, 3.1, 3.2" in diagnostic.message
    assert diagnostic.found == text.replace("'", "")


@pytest.mark.parametrize(
    "text", ["", "[]", "a: b", "openapi: {}", "<a/>", "PK", "openapi: [", "swagger: true"]
)
def test_another_document_is_not_recognised(text: str) -> None:
    source = Source("a.yaml", text.encode())
    assert not recognises_openapi(source) or text == "swagger: true"
    with pytest.raises(InvalidInput):
        read(text)


def test_title_and_version_name_the_api() -> None:
    api = api_of(description())
    assert (api.name.value, api.version.value) == ("Shop", "2")
    assert api.name.place.json_path == "$.info.title"


def test_methods_in_use_are_allowed_and_trace_and_options_are_not() -> None:
    methods = ("get", "put", "post", "delete", "patch", "head", "options", "trace", "query")
    operations: dict[str, object] = {method: {} for method in methods}
    contents = read(description(paths={"/a": operations}))
    policy = contents.apis[0].cors
    assert policy is not None
    assert values(policy.methods) == ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD"]
    assert codes(contents) == ["openapi-options", "method-not-needed", "openapi-server"]


def test_3_2_has_query_and_additional_operations() -> None:
    item: dict[str, object] = {
        "query": {},
        "additionalOperations": {"COPY": {}, "*": {}, "CONNECT": {}, "OPTIONS": {}},
    }
    contents = read(description(openapi="3.2.0", paths={"/a": item}))
    policy = contents.apis[0].cors
    assert policy is not None
    assert values(policy.methods) == ["QUERY", "COPY"]
    assert codes(contents)[:3] == ["openapi-method", "method-not-needed", "openapi-options"]


def test_a_method_in_upper_case_is_a_warning() -> None:
    contents = read(description(paths={"/a": {"GET": {}, "summary": "x", "x-get": {}}}))
    assert codes(contents) == ["openapi-method", "openapi-server"]


def test_webhooks_and_callbacks_are_not_operations() -> None:
    callback: dict[str, object] = {"onEvent": {"{$request.body#/url}": {"put": {}}}}
    policy = policy_of(
        description(webhooks={"a": {"delete": {}}}, paths={"/a": {"get": {"callbacks": callback}}})
    )
    assert values(policy.methods) == ["GET"]


def test_header_parameters_of_paths_and_operations_are_allowed() -> None:
    def header(name: str) -> dict[str, str]:
        return {"in": "header", "name": name}

    ignored = [header(name) for name in ("Accept", "Authorization", "content-type", "Accept-Language")]
    item = {
        "parameters": [header("X-Path"), {"in": "query", "name": "q"}, *ignored],
        "get": {"parameters": [header("If-Match"), header("*"), header("Host"), header("a b")]},
    }
    contents = read(description(paths={"/a": item}))
    policy = contents.apis[0].cors
    assert policy is not None
    assert values(policy.allow_headers) == ["X-Path", "If-Match"]
    assert codes(contents)[:4] == [
        "openapi-parameter-ignored",
        "header-name-invalid",
        "openapi-header-forbidden",
        "header-name-invalid",
    ]


def test_swagger_2_does_not_ignore_the_parameter_authorization() -> None:
    parameters = [{"in": "header", "name": name} for name in ("Accept", "Authorization", "Content-Type")]
    policy = policy_of(swagger(paths={"/a": {"get": {"parameters": parameters}}}))
    assert values(policy.allow_headers) == ["Authorization", "Content-Type"]


@pytest.mark.parametrize(
    ("media_types", "needed"),
    [
        (["application/json"], True),
        (["text/plain", "application/xml"], True),
        (["*/*"], True),
        (["text/plain; charset=utf-8", "multipart/form-data", "application/x-www-form-urlencoded"], False),
    ],
)
def test_content_type_is_allowed_if_a_body_is_not_safelisted(media_types: list[str], needed: bool) -> None:
    expected = ["Content-Type"] if needed else []
    content: dict[str, object] = {media_type: {} for media_type in media_types}
    operation = {"requestBody": {"content": content}}
    assert values(policy_of(description(paths={"/a": {"post": operation}})).allow_headers) == expected
    body = {"parameters": [{"in": "body", "name": "b"}]}
    for document in (
        swagger(paths={"/a": {"post": body | {"consumes": media_types}}}),
        swagger(paths={"/a": {"post": body}}, consumes=media_types),
    ):
        assert values(policy_of(document).allow_headers) == expected


def test_a_body_needs_content_type_unless_nobody_can_send_it() -> None:
    body = [{"in": "body", "name": "b"}]
    paths = {"/a": {"get": {"consumes": ["a/b"]}, "head": {"parameters": body}, "delete": {}}}
    assert policy_of(swagger(paths=paths, consumes=["a/b"])).allow_headers == ()
    for operation in ({"parameters": body}, {"parameters": body, "consumes": []}):
        policy = policy_of(swagger(paths={"/a": {"put": operation}}))
        assert values(policy.allow_headers) == ["Content-Type"]
    form = {"parameters": [{"in": "formData", "name": "b"}]}
    assert policy_of(swagger(paths={"/a": {"put": form}})).allow_headers == ()


def test_response_headers_are_exposed_but_not_those_that_scripts_read_anyway_or_never() -> None:
    names = ("Link", "ETag", "Content-Type", "Set-Cookie", "Access-Control-Allow-Origin", "*", "X-Total")
    response: dict[str, object] = {"headers": {name: {} for name in names}}
    contents = read(description(paths={"/a": {"get": {"responses": {"default": response}}}}))
    api = contents.apis[0]
    assert api.cors is not None
    assert values(api.cors.expose_headers) == ["Link", "ETag", "X-Total"]
    assert values(api.native_cors) == ["Access-Control-Allow-Origin"]
    assert codes(contents)[:1] == ["header-name-invalid"]
    assert "openapi-cookie" in codes(contents)


def test_no_origin_is_invented() -> None:
    document = description(
        servers=[{"url": "https://api.example.com"}],
        info={"title": "a", "version": "1", "contact": {"url": "https://example.com"}},
    )
    assert policy_of(document).origins == ()


@pytest.mark.parametrize(
    ("operation", "evidence"),
    [
        (
            {"responses": {"200": {"headers": {"Access-Control-Allow-Methods": {}}}}},
            "Access-Control-Allow-Methods",
        ),
        ({"x-amazon-apigateway-integration": {"type": "mock"}}, "OPTIONS /a"),
    ],
)
def test_a_declared_preflight_tells_that_the_native_service_does_cors(
    operation: object, evidence: str
) -> None:
    contents = read(description(paths={"/a": {"get": {}, "options": operation}}))
    assert values(contents.apis[0].native_cors) == [evidence]
    assert "openapi-options" not in codes(contents)


def test_names_that_are_missing_are_replaced_and_reported() -> None:
    contents = read({"openapi": "3.0.0", "info": {"version": 1.5}}, name="dir/orders.v2.yaml")
    api = contents.apis[0]
    assert (api.name.value, api.version.value) == ("orders.v2", "1.5")
    assert codes(contents)[:2] == ["openapi-title", "openapi-version-number"]


def test_a_stream_of_descriptions_has_an_api_each() -> None:
    contents = read("openapi: 3.0.0\ninfo: {title: a}\n---\nswagger: '2.0'\ninfo: {title: b}\n")
    assert [api.name.value for api in contents.apis] == ["a", "b"]
    with pytest.raises(InvalidInput):
        read("openapi: 3.0.0\n---\na: b\n")
