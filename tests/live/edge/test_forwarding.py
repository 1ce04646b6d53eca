"""What the native service receives: the rewritten path, data about the client, no untrusted headers."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import pytest
from tests.live.edge.requests import (
    FROM_FOREIGN,
    GOOD,
    POLICY,
    cors_of,
    new_marker,
    publish,
    received,
    send,
    vary_of,
)
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of
from tests.native_services import ScriptedNative, SocketNative, answer_ok
from tests.raw_http import RawRequest, http1, send_http2

from crossgate.catalogue.model import NativeService
from crossgate.compiler.headers import LOOKUP_HEADER, UNTRUSTED_FORWARDING_HEADERS

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def ipv6() -> Iterator[SocketNative]:
    with SocketNative(answer_ok, host="::1") as service:
        yield service


@pytest.fixture(scope="module")
def trailing() -> Iterator[SocketNative]:
    """Sends a trailer that browsers must not read as a CORS header."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"2\r\nok\r\n0\r\nAccess-Control-Allow-Origin: *\r\n\r\n"
    with SocketNative(lambda connection, _: connection.sendall(head + body)) as service:
        yield service


@pytest.fixture(scope="module", autouse=True)
def _served(gateway: LiveGateway, pet: ScriptedNative, ipv6: SocketNative, trailing: SocketNative) -> None:
    def at(host: str, port: int, base_path: str = "") -> NativeService:
        return NativeService("http", host, port, base_path)

    apis = [
        api("pet", pet.port, POLICY),
        api("open", pet.port, None),
        api("based", pet.port, None, native=at("127.0.0.1", pet.port, "/v2/a%20b")),
        api("named", pet.port, None, native=at("localhost", pet.port)),
        api("six", 0, None, native=at("::1", ipv6.port, "/six")),
        api("named-six", 0, None, native=at("localhost", ipv6.port)),
        api("trailing", trailing.port, POLICY),
    ]
    publish(gateway, catalogue_of(gateway.port, apis))


@pytest.mark.parametrize(
    ("requested", "sent"),
    [
        ("/gateway/open/1", "/"),
        ("/gateway/open/1/", "/"),
        ("/gateway/open/1?", "/?"),
        ("/gateway/open/1?q=/a/../b&r=%2F", "/?q=/a/../b&r=%2F"),
        ("/gateway/open/1/x/", "/x/"),
        ("/gateway/open/1/gateway/open/1", "/gateway/open/1"),
        ("/gateway/open/1/a%20b/%C3%A4;c=d", "/a%20b/%C3%A4;c=d"),
        ("/gateway/based/1", "/v2/a%20b"),
        ("/gateway/based/1/", "/v2/a%20b/"),
        ("/gateway/based/1?x", "/v2/a%20b?x"),
        ("/gateway/based/1/pets/1?x=1", "/v2/a%20b/pets/1?x=1"),
        ("/gateway/named/1/pets", "/pets"),
    ],
)
def test_the_base_path_replaces_the_endpoint(
    gateway: LiveGateway, pet: ScriptedNative, requested: str, sent: str
) -> None:
    marker = new_marker()
    assert send(gateway, requested, ("X-Marker", marker)).status == 200
    assert [request.target for request in pet.log.with_marker(marker)] == [sent]


@pytest.mark.parametrize("name", ["pet", "open"])
def test_the_native_service_receives_client_host_and_endpoint(
    gateway: LiveGateway, pet: ScriptedNative, name: str
) -> None:
    seen = received(send(gateway, f"/gateway/{name}/1/headers", ("Host", "gateway.example.com:8080")))
    assert seen["host"] == [f"127.0.0.1:{pet.port}"]
    assert seen["x-forwarded-host"] == ["gateway.example.com:8080"]
    assert seen["x-forwarded-prefix"] == [f"/gateway/{name}/1"]
    assert seen["x-forwarded-proto"] == ["http"]
    [address] = seen["x-forwarded-for"]
    assert address


def test_the_host_of_an_absolute_target_replaces_the_host_header(gateway: LiveGateway) -> None:
    answer = send(
        gateway, "http://absolute.example.com/gateway/open/1/headers", ("Host", "other.example.com")
    )
    assert received(answer)["x-forwarded-host"] == ["absolute.example.com"]


@pytest.mark.parametrize("http", ["1.1", "2"])
def test_untrusted_forwarding_headers_are_removed(gateway: LiveGateway, http: str) -> None:
    overwritten = ("x-forwarded-host", "x-forwarded-prefix", "x-forwarded-proto", "x-request-id")
    claims = (LOOKUP_HEADER, *UNTRUSTED_FORWARDING_HEADERS, *overwritten)
    headers = tuple((name, "claimed") for name in claims for _ in range(2))
    request = RawRequest("GET", "/gateway/open/1/headers", headers)
    if http == "2":
        answer = send_http2(gateway.port, request)
    else:
        with http1(gateway.port) as connection:
            answer = connection.send(request)
    seen = received(answer)
    assert answer.status == 200
    assert not {name for name, values in seen.items() if any("claimed" in value for value in values)}
    assert not set(seen) & {LOOKUP_HEADER, *UNTRUSTED_FORWARDING_HEADERS}
    assert all(len(seen[name]) == 1 for name in overwritten)


def test_the_clients_address_replaces_what_the_client_claims(gateway: LiveGateway) -> None:
    claims = (("X-Forwarded-For", "192.0.2.99"), ("x-forwarded-for", "192.0.2.98, 127.0.0.1"))
    [own] = received(send(gateway, "/gateway/open/1/headers"))["x-forwarded-for"]
    assert received(send(gateway, "/gateway/open/1/headers", *claims))["x-forwarded-for"] == [own]
    # Envoy replaces a loopback address by another one of the machine, if it has one.
    assert ipaddress.ip_address(own) not in ipaddress.ip_network("192.0.2.96/28")


@pytest.mark.parametrize("name", ["x-crossgate-path", "x-forwarded-prefix", "x-forwarded-proto"])
def test_a_connection_header_cannot_remove_the_gateways_headers(gateway: LiveGateway, name: str) -> None:
    answer = send(gateway, "/gateway/open/1/headers", ("Connection", f"close, {name}"))
    if answer.status != 400:
        seen = received(answer)
        assert seen["x-forwarded-prefix"] == ["/gateway/open/1"]
        assert seen["x-forwarded-proto"] == ["http"]


def test_an_origin_that_a_connection_header_names_counts_as_absent(gateway: LiveGateway) -> None:
    answer = send(gateway, "/gateway/pet/1/headers", FROM_FOREIGN, ("Connection", "close, Origin"))
    assert (answer.status, cors_of(answer), vary_of(answer)) == (200, {}, ["origin"])
    assert "origin" not in received(answer)


def test_clients_cannot_configure_envoy(gateway: LiveGateway, pet: ScriptedNative) -> None:
    marker = new_marker()
    options = (
        ("x-envoy-upstream-rq-timeout-ms", "1"),
        ("x-envoy-max-retries", "3"),
        ("x-envoy-retry-on", "5xx"),
        ("x-envoy-original-path", "/other"),
    )
    answer = send(gateway, f"/gateway/open/1/status/503?{marker}", *options)
    assert answer.text == "as you wished\n"
    assert len(pet.log.with_marker(marker)) == 1
    assert not [name for name, _ in answer.headers if name.lower().startswith("x-envoy")]


def test_a_name_of_which_only_one_address_is_listened_on(gateway: LiveGateway, ipv6: SocketNative) -> None:
    assert send(gateway, "/gateway/named-six/1/x").text == "ok"
    assert f"host: localhost:{ipv6.port}\r\n".encode() in ipv6.heads[-1]


def test_ipv6(gateway: LiveGateway, ipv6: SocketNative) -> None:
    assert send(gateway, "/gateway/six/1/x").text == "ok"
    assert ipv6.heads[-1].startswith(b"GET /six/x HTTP/1.1\r\n")
    assert f"host: [::1]:{ipv6.port}\r\n".encode() in ipv6.heads[-1]


def test_bodies_of_any_size_are_forwarded_in_both_directions(gateway: LiveGateway) -> None:
    size = 3_000_000
    assert len(send(gateway, f"/gateway/pet/1/bytes/{size}", ("Origin", GOOD)).body) == size
    body = b"0123456789abcdef" * 65536
    with http1(gateway.port) as connection:
        head = "POST /gateway/pet/1/echo HTTP/1.1\r\nHost: gateway.test\r\n"
        connection.push(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert connection.read_response(RawRequest("POST", "", ())).body == body
        connection.push(f"{head}Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode() + body)
        connection.push(b"\r\n0\r\n\r\n")
        assert connection.read_response(RawRequest("POST", "", ())).body == body


def test_head_has_the_headers_of_get_and_no_body(gateway: LiveGateway, pet: ScriptedNative) -> None:
    marker = new_marker()
    answer = send(gateway, f"/gateway/pet/1/bytes/5?{marker}", ("Origin", GOOD), method="HEAD")
    assert answer.status == 200
    assert answer.all("content-length") == ["5"]
    assert answer.all("access-control-allow-origin") == [GOOD]
    assert [request.method for request in pet.log.with_marker(marker)] == ["HEAD"]
    refused = send(gateway, "/gateway/pet/1", ("Origin", "https://evil.example"), method="HEAD")
    assert (refused.status, refused.body) == (403, b"")


def test_expect_100_continue_is_answered(gateway: LiveGateway) -> None:
    with http1(gateway.port) as connection:
        head = "POST /gateway/pet/1/echo HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: 2\r\n"
        assert connection.send_raw(f"{head}Expect: 100-continue\r\n\r\n").status == 100
        answer = connection.send_raw("hi")
    assert (answer.status, answer.text) == (200, "hi")


def test_trailers_are_forwarded_in_neither_direction(gateway: LiveGateway, pet: ScriptedNative) -> None:
    marker = new_marker()
    with http1(gateway.port) as connection:
        connection.push(
            f"POST /gateway/pet/1/headers?{marker} HTTP/1.1\r\nHost: gateway.test\r\n"
            "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nOrigin: https://evil.example\r\n\r\n".encode()
        )
        answer = connection.read_response(RawRequest("POST", "", ()))
    assert "origin" not in received(answer)
    [request] = pet.log.with_marker(marker)
    assert request.body == b"hi"
    with http1(gateway.port) as connection:
        connection.push(
            b"GET /gateway/trailing/1 HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n\r\n"
        )
        assert b"access-control" not in connection.pull(100_000).lower()
