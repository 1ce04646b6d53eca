"""Servers: the base URLs of the native service."""

from __future__ import annotations

import pytest
from tests.unit.importers.openapi_description import codes, description, read, swagger


def natives(document: object, name: str = "shop.json") -> list[str]:
    (api,) = read(document, name=name).apis
    return [one.value for one in api.natives]


URL = "https://example.com/docs/openapi.json"


@pytest.mark.parametrize(
    ("servers", "name", "expected"),
    [
        ([{"url": "https://a.example/v1"}, {"url": "http://b.example"}], "a.json",
         ["https://a.example/v1", "http://b.example"]),
        ([{"url": "/v1"}], "a.json", []),
        ([{"url": "/v1"}], URL, ["https://example.com/v1"]),
        ([{"url": "v1"}], URL, ["https://example.com/docs/v1"]),
        ([{"url": "//b.example"}], URL, ["https://b.example"]),
        ([], URL, ["https://example.com/"]),
        ([], "a.json", []),
        ([{"url": "wss://a.example"}, {"url": "ftp://a.example"}, {"url": "http://a.example"}], URL,
         ["http://a.example"]),
        ([{"url": "{scheme}://a.example:{port}",
           "variables": {"scheme": {"default": "https"}, "port": {"default": 8443}}}], URL,
         ["https://a.example:8443"]),
        ([{"url": "https://{no}.example"}, {"url": "https://a.example"}], URL, ["https://a.example"]),
        ([{"url": "https://{}.example"}, {"url": 7}, 7, {}, None], URL, []),
        ([{"url": "http://[::1"}], URL, ["http://[::1"]),
    ],
)  # fmt: skip
def test_servers_name_the_native_service(servers: list[object], name: str, expected: list[str]) -> None:
    assert natives(description(servers=servers), name) == expected


def test_3_2_resolves_against_its_own_url() -> None:
    document = description(openapi="3.2.0", servers=[{"url": "/v1"}]) | {"$self": "https://own.example/a"}
    assert natives(document, URL) == ["https://own.example/v1"]


@pytest.mark.parametrize("own", ["http://[", "http:", "api.json", 7])
def test_a_description_without_a_usable_url_of_its_own_has_that_of_its_source(own: object) -> None:
    document = description(openapi="3.2.0", servers=[{"url": "/v1"}]) | {"$self": own}
    assert natives(document, URL) == ["https://example.com/v1"]
    assert natives(description() | {"$self": own}) == []


@pytest.mark.parametrize(
    ("fields", "name", "expected"),
    [
        ({"host": "a.example", "basePath": "/v2", "schemes": ["ws", "http", "https"]}, "a.json",
         ["https://a.example/v2", "http://a.example/v2"]),
        ({"host": "a.example:8443", "schemes": ["http"]}, "a.json", ["http://a.example:8443"]),
        ({"host": "a.example", "basePath": "v2"}, "a.json", ["https://a.example/v2"]),
        ({"basePath": "/v2"}, "http://h.example:81/a.json", ["http://h.example:81/v2"]),
        ({"basePath": "/v2", "schemes": ["https"]}, "a.json", []),
        ({"host": "a.example", "schemes": ["wss"]}, "a.json", []),
        ({"host": 7, "basePath": 7, "schemes": 7}, "a.json", []),
    ],
)  # fmt: skip
def test_swagger_2_has_host_and_base_path(fields: dict[str, object], name: str, expected: list[str]) -> None:
    assert natives(swagger(**fields), name) == expected


def test_substituted_and_missing_variables_are_reported() -> None:
    servers = [{"url": "https://{a}.example/{b}", "variables": {"a": {"default": "x"}}}]
    contents = read(description(servers=servers))
    assert [one.severity.value for one in contents.diagnostics] == ["info", "warning"]
    assert [one.found for one in contents.diagnostics] == ["a: x", "{b}"]


def test_other_servers_of_operations_are_reported_once() -> None:
    other = [{"url": "https://files.example"}]
    paths = {"/a": {"servers": other, "get": {}, "put": {"servers": [{"url": "https://a.example"}]}},
             "/b": {"post": {"servers": other}}}  # fmt: skip
    contents = read(description(servers=[{"url": "https://a.example"}], paths=paths))
    assert codes(contents) == ["openapi-other-server"]
    assert contents.diagnostics[0].message.startswith("2 operations are at another server")
    assert contents.diagnostics[0].found == "https://files.example for GET /a"


def test_servers_of_paths_count_if_the_description_has_none() -> None:
    paths = {"/a": {"servers": [{"url": "https://a.example"}], "get": {}},
             "/b": {"servers": [{"url": "https://b.example"}], "get": {}}}  # fmt: skip
    assert natives(description(paths=paths)) == ["https://a.example", "https://b.example"]
    assert codes(read(description(paths=paths))) == ["openapi-other-server"]
