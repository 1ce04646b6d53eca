"""Names, endpoints and native URLs: accepted values, and the errors of the others."""

from __future__ import annotations

import pytest

from crossgate.catalogue.model import NativeService
from crossgate.catalogue.names import parse_application_name, parse_endpoint, parse_name
from crossgate.catalogue.urls import parse_native_url
from crossgate.diagnostics import Diagnostic


@pytest.mark.parametrize("name", ["petstore", "1.0", "a.b_c~d-E", "...", "a" * 200])
def test_names(name: str) -> None:
    assert parse_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "a/b", "a%2fb", "é", "a\n", "a" * 201, 1.0, None])
def test_invalid_names(name: object) -> None:
    assert isinstance(parse_name(name), Diagnostic)


@pytest.mark.parametrize("name", ["shop", "Shop 2 / Ümläut", "a"])
def test_names_of_applications(name: str) -> None:
    assert parse_application_name(name) == name


@pytest.mark.parametrize("name", ["", " a", "a ", "a\x1b[31m", "a\nb", "a" * 201, 7])
def test_invalid_names_of_applications(name: object) -> None:
    assert isinstance(parse_application_name(name), Diagnostic)


@pytest.mark.parametrize(
    "endpoint",
    ["/a", "/a/b/c/d", "/gateway/petstore/1.0", "/ws/stock/1.0/deep", "/gatewayed", "/a.b/~c/$d", "/..."],
)
def test_endpoints(endpoint: str) -> None:
    assert parse_endpoint(endpoint) == endpoint


@pytest.mark.parametrize(
    ("endpoint", "remedy"),
    [
        ("", "Write a path such as /shop/v1"),
        ("a/b", "Write /a/b"),
        ("/", "Write a path such as /shop/v1"),
        ("//a", "Write /a"),
        ("/a//b", "Write /a/b"),
        ("/a/", "Write /a"),
        ("/a/../b", "Write the path that they lead to"),
        ("/a/.", "Write the path that they lead to"),
        ("/a?b", "Write /a"),
        ("/a#b", "Write /a"),
        ("/a%2fb", "Use unescaped characters only"),
        ("/a%2Eb", "Use unescaped characters only"),
        ("/a;b", "Remove the other characters"),
        ("/a b", "Remove the other characters"),
        ("/a\\b", "Remove the other characters"),
        ("/é", "Remove the other characters"),
        ("/a*", "Remove the other characters"),
        ("/a\n", "Remove the other characters"),
        ("/" + "a" * 1000, "Shorten it"),
        ("/gateway", "Write /gateway/name/version, or a path that does not begin with"),
        ("/gateway/a", "Write /gateway/name/version, or a path that does not begin with"),
        ("/ws/a", "Write /ws/name/version, or a path that does not begin with"),
        (1, "Write a path such as /shop/v1"),
    ],
)
def test_invalid_endpoints(endpoint: object, remedy: str) -> None:
    refused = parse_endpoint(endpoint)
    assert isinstance(refused, Diagnostic)
    assert refused.remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("url", "native"),
    [
        ("http://a.example", NativeService("http", "a.example", 80)),
        ("https://a.example/", NativeService("https", "a.example", 443)),
        ("HTTP://A.example:8080/v2/", NativeService("http", "a.example", 8080, "/v2")),
        ("http://127.0.0.1:9101/v2/x", NativeService("http", "127.0.0.1", 9101, "/v2/x")),
        ("http://[0:0::1]:9101", NativeService("http", "::1", 9101)),
        ("http://my_service:80", NativeService("http", "my_service", 80)),
        ("http://a.example/a%20b/(c)", NativeService("http", "a.example", 80, "/a%20b/(c)")),
    ],
)
def test_native_urls(url: str, native: NativeService) -> None:
    assert parse_native_url(url) == native
    assert parse_native_url(str(native)) == native


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("a.example", "must begin with http:// or https://"),
        ("ftp://a.example", "must begin with http:// or https://"),
        ("", "must begin with http:// or https://"),
        (" http://a.example", "must begin with http:// or https://"),
        ("http://", "must have a host"),
        ("http://:80", "must have a host"),
        ("http://a.example?x", "must not have a query"),
        ("http://a.example/#x", "must not have a query or a fragment"),
        ("http://u:p@a.example", "must not have user information"),
        ("http://a.example:0", "has an invalid port"),
        ("http://a.example:65536", "has an invalid port"),
        ("http://a.example:", "has an invalid port"),
        ("http://a.example:٣", "has an invalid port"),
        ("http://é.example", "has a host that is not ASCII"),
        ("http://1.2.3", "has an invalid host"),
        ("http://1.2.3.256", "has an invalid host"),
        ("http://0x7f.1", "has an invalid host"),
        ("http://[::1", "has an invalid"),
        ("http://[::1%25eth0]", "has an invalid host"),
        ("http://a..b", "has an invalid host"),
        ("http://-a.example", "has an invalid host"),
        ("http://a b", "has an invalid host"),
        ("http://a\nb", "has an invalid host"),
        ("http://a.example//b", "has a path with an empty segment"),
        ("http://a.example/a b", "has a path with an empty segment or an invalid character"),
        ("http://a.example/%zz", "has a path with an empty segment or an invalid character"),
        ("http://a.example/../b", "has dot segments"),
        ("http://a.example/%2e%2E/b", "has dot segments"),
        (80, "must be a string"),
    ],
)
def test_invalid_native_urls(url: object, reason: str) -> None:
    refused = parse_native_url(url)
    assert isinstance(refused, Diagnostic)
    assert refused.message.startswith(f"the native service's URL {reason}")
    assert refused.remedy
