"""Requests that Envoy's parser refuses: no native service receives them, no response has CORS headers."""

from __future__ import annotations

import pytest
from tests.live.edge.requests import GOOD, POLICY, cors_of, publish, send
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of
from tests.native_services import ScriptedNative
from tests.raw_http import RawRequest, http1, send_http2

pytestmark = pytest.mark.live

START = f"GET /gateway/pet/1 HTTP/1.1\r\nHost: gateway.test\r\nOrigin: {GOOD}\r\n"
POST = START.replace("GET", "POST")
CHUNKED = "Transfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module", autouse=True)
def _served(gateway: LiveGateway, pet: ScriptedNative) -> None:
    publish(gateway, catalogue_of(gateway.port, [api("pet", pet.port, POLICY)]))


REFUSED = {
    "not a request": ("GARBAGE\r\n\r\n", 400),
    "no Host": (f"GET /gateway/pet/1 HTTP/1.1\r\nOrigin: {GOOD}\r\n\r\n", 400),
    "a header with an underscore": (f"{START}X_Forwarded_Host: evil\r\n\r\n", 400),
    "a header without a name": (f"{START}: x\r\n\r\n", 400),
    "a space before the colon": (f"{START}X-One : x\r\n\r\n", 400),
    "a control character": (f"{START}X-One: a\x01b\r\n\r\n", 400),
    "two lengths": (f"{POST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    "a length and chunks": (f"{POST}{CHUNKED}Content-Length: 3\r\n\r\n0\r\n\r\n", 400),
    "an unknown encoding": (f"{POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "HTTP/1.0": ("GET /gateway/pet/1 HTTP/1.0\r\nHost: gateway.test\r\n\r\n", 426),
    "a head of 65 KiB": (f"{START}X-Long: {'x' * 65 * 1024}\r\n\r\n", 431),
    "a path of 65 KiB": (START.replace("/1 ", f"/1/{'x' * 65 * 1024} ") + "\r\n", 431),
    "101 headers": (START + "".join(f"x-{n}: y\r\n" for n in range(99)) + "\r\n", 431),
    "another scheme than the listener's": (START.replace(" /", " https://gateway.test/") + "\r\n", 403),
    "an unknown upgrade": (f"{START}Connection: Upgrade\r\nUpgrade: dream\r\n\r\n", 403),
}


@pytest.mark.parametrize("request_", REFUSED)
def test_the_native_service_never_receives_it(
    gateway: LiveGateway, pet: ScriptedNative, request_: str
) -> None:
    text, status = REFUSED[request_]
    before = len(pet.log.seen())
    with http1(gateway.port) as connection:
        answer = connection.send_raw(text)
    # The API's route refuses the upgrade, so an allowed page can read the response.
    expected = status == 403 and "Upgrade" in text
    assert (answer.status, bool(cors_of(answer))) == (status, expected)
    assert len(pet.log.seen()) == before


def test_a_folded_origin_is_refused(gateway: LiveGateway) -> None:
    with http1(gateway.port) as connection:
        assert connection.send_raw(f"{START.rstrip()}\r\n .evil.example\r\n\r\n").status == 403


def test_a_hundred_headers_are_accepted(gateway: LiveGateway) -> None:
    # With an unknown path, because the limit of the native service's HTTP server is lower.
    headers = [(f"x-{number}", "y") for number in range(99)]
    assert send(gateway, "/nowhere", *headers).status == 404


def test_a_header_with_an_underscore_is_refused_over_http2(gateway: LiveGateway, pet: ScriptedNative) -> None:
    before = len(pet.log.seen())
    answer = send_http2(gateway.port, RawRequest("GET", "/gateway/pet/1", (("x_forwarded_host", "evil"),)))
    assert answer.status in (0, 400)
    assert len(pet.log.seen()) == before


def test_clients_cannot_choose_another_server(gateway: LiveGateway, pet: ScriptedNative) -> None:
    before = len(pet.log.seen())
    spoofed = (("x-crossgate-path", "/gateway/pet/1"), ("x-crossgate-path", "passed/gateway/pet/1"))
    assert send(gateway, f"127.0.0.1:{pet.port}", *spoofed, method="CONNECT").status == 404
    assert send(gateway, "*", *spoofed, method="OPTIONS").status == 404
    assert len(pet.log.seen()) == before
