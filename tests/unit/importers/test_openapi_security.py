"""Security schemes and cookies: the headers and credentials that they need."""

from __future__ import annotations

import pytest
from tests.unit.importers.openapi_description import codes, description, policy_of, read, swagger

from crossgate.importers.found import FoundPolicy


def secured(scheme: object, **fields: object) -> dict[str, object]:
    """A description whose only operation requires the scheme."""
    return description(
        security=[{"s": []}],
        paths={"/a": {"get": {}}},
        components={"securitySchemes": {"s": scheme}},
        **fields,
    )


def allowed(policy: FoundPolicy) -> list[str]:
    return [one.value for one in policy.allow_headers]


@pytest.mark.parametrize(
    ("scheme", "headers"),
    [
        ({"type": "http", "scheme": "bearer"}, ["Authorization"]),
        ({"type": "http", "scheme": "basic"}, ["Authorization"]),
        ({"type": "oauth2"}, ["Authorization"]),
        ({"type": "openIdConnect"}, ["Authorization"]),
        ({"type": "apiKey", "in": "header", "name": "X-Key"}, ["X-Key"]),
        ({"type": "apiKey", "in": "query", "name": "key"}, []),
        ({"type": "mutualTLS"}, []),
    ],
)
def test_a_required_scheme_needs_its_header(scheme: object, headers: list[str]) -> None:
    policy = policy_of(secured(scheme))
    assert allowed(policy) == headers
    assert policy.credentials is None
    if isinstance(scheme, dict) and scheme["type"] == "apiKey":
        document = swagger(security=[{"s": []}], paths={"/a": {"get": {}}}, securityDefinitions={"s": scheme})
        assert allowed(policy_of(document)) == headers


def test_swagger_2_has_basic() -> None:
    document = swagger(
        security=[{"s": []}], paths={"/a": {"get": {}}}, securityDefinitions={"s": {"type": "basic"}}
    )
    assert allowed(policy_of(document)) == ["Authorization"]


@pytest.mark.parametrize(
    "scheme",
    [
        {"type": "apiKey", "in": "cookie", "name": "sid"},
        {"type": "apiKey", "in": "header", "name": "Cookie"},
    ],
)
def test_a_scheme_in_a_cookie_needs_credentials(scheme: object) -> None:
    policy = policy_of(secured(scheme))
    assert policy.credentials is not None
    assert policy.credentials.value is True
    assert policy.credentials.reason == "security scheme s of GET /a"
    assert policy.credentials.place.json_path == "$.components.securitySchemes.s.name"


@pytest.mark.parametrize(
    ("parameter", "credentials"),
    [
        ({"in": "cookie", "name": "sid", "required": True}, True),
        ({"in": "cookie", "name": "sid"}, False),
        ({"in": "header", "name": "Cookie", "required": True}, True),
        ({"in": "header", "name": "cookie"}, False),
    ],
)
def test_a_cookie_needs_credentials_if_it_is_required(parameter: object, credentials: bool) -> None:
    contents = read(description(paths={"/a": {"get": {"parameters": [parameter]}}}))
    policy = contents.apis[0].cors
    assert policy is not None
    assert (policy.credentials is not None) is credentials
    assert ("openapi-cookie" in codes(contents)) is not credentials


def test_requirements_of_an_operation_replace_those_of_the_description() -> None:
    components = {
        "securitySchemes": {
            name: {"type": "apiKey", "in": "header", "name": f"X-{name}"} for name in ("a", "b", "c", "d")
        }
    }

    def headers(*requirements: object) -> list[str]:
        operations = zip(("get", "put", "post"), requirements, strict=False)
        paths: dict[str, object] = {
            "/a": {method: {} if one is None else {"security": one} for method, one in operations}
        }
        return allowed(policy_of(description(security=[{"a": []}], paths=paths, components=components)))

    assert headers(None) == ["X-a"]
    assert headers([]) == []
    assert headers([{"b": []}]) == ["X-b"]
    assert headers(None, [], [{}, {"b": [], "c": []}]) == ["X-a", "X-b", "X-c"]


def test_uses_are_counted() -> None:
    components = {"securitySchemes": {"s": {"type": "oauth2"}}}
    paths: dict[str, object] = {"/a": {"get": {}, "put": {}, "post": {"security": []}}}
    policy = policy_of(description(security=[{"s": []}], paths=paths, components=components))
    (header,) = policy.allow_headers
    assert header.reason == "security scheme s of GET /a and 1 more"


@pytest.mark.parametrize(
    ("scheme", "code"),
    [
        (None, "openapi-security-undefined"),
        ({"type": "new"}, "openapi-security-type"),
        ({"type": "mutualTLS"}, "client-certificate"),
        ({"type": "apiKey", "in": "header", "name": "*"}, "header-name-invalid"),
        ({"type": "apiKey", "in": "header", "name": "Proxy-Authorization"}, "openapi-header-forbidden"),
        ({"$ref": "#/no"}, "openapi-reference-dangling"),
    ],
)
def test_a_scheme_that_cannot_be_used_is_reported(scheme: object, code: str) -> None:
    contents = read(secured(scheme))
    assert code in codes(contents)
    policy = contents.apis[0].cors
    assert policy is not None
    assert allowed(policy) == []


def test_3_2_may_refer_to_a_scheme() -> None:
    document = description(
        openapi="3.2.0",
        security=[{"#/components/securitySchemes/s": []}],
        paths={"/a": {"get": {}}},
        components={"securitySchemes": {"s": {"type": "http"}}},
    )
    assert allowed(policy_of(document)) == ["Authorization"]
