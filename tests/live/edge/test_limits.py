"""The limits for clients: at their defaults, as settings, and what exceeding one costs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.catalogues import server_policy
from tests.http2_client import http2
from tests.live.edge.requests import FROM_GOOD, GOOD, POLICY, publish, send
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of
from tests.native_services import ScriptedNative, SocketNative
from tests.raw_http import RawRequest, connected, http1
from tests.streaming import EVENT, Pace

from crossgate.catalogue.limits import Limits
from crossgate.catalogue.model import Catalogue

pytestmark = pytest.mark.live

PACE = Pace(pieces=15, pause=0.1, quiet=1.5)


@pytest.fixture(scope="module")
def streaming() -> Iterator[SocketNative]:
    with PACE.native() as service:
        yield service


@pytest.fixture(scope="module")
def served(gateway: LiveGateway, pet: ScriptedNative, streaming: SocketNative) -> Catalogue:
    stream = api("stream", streaming.port, POLICY, native_timeout=0.7)
    apis = [api("pet", pet.port, POLICY), stream, api("patient", streaming.port, POLICY)]
    return catalogue_of(gateway.port, apis)


def with_limits(catalogue: Catalogue, limits: Limits) -> Catalogue:
    return replace(catalogue, gateway=replace(catalogue.gateway, limits=limits))


MALFORMED = {
    "a name in capitals": (("X-Upper", "y"),),
    "a connection header": (("connection", "close"),),
    "te": (("te", "gzip"),),
    "a control character": (("x-one", "a\x01b"),),
    "a space in a name": (("x one", "y"),),
    "a second method": ((":method", "GET"),),
    "a head of 65 KiB": (("x-long", "x" * 65 * 1024),),
    "101 headers": tuple((f"x-{number}", "y") for number in range(101)),
}


@pytest.mark.parametrize("head", MALFORMED)
def test_a_malformed_head_costs_its_stream_only_over_http2(
    gateway: LiveGateway, served: Catalogue, head: str
) -> None:
    publish(gateway, served)
    with http2(gateway.port) as connection:
        good = connection.start(RawRequest("GET", "/gateway/stream/1/delayed", ()))
        bad = connection.start(RawRequest("GET", "/gateway/pet/1", MALFORMED[head]))
        assert connection.read(bad).status == 0
        later = connection.start(RawRequest("GET", "/gateway/pet/1", (("origin", GOOD),)))
        assert connection.read(later).status == 200
        assert connection.read(good).status == 504
        assert not connection.terminated


@pytest.mark.parametrize("of_server", [False, True])
def test_a_head_below_the_limit_is_forwarded_in_both_modes(
    gateway: LiveGateway, served: Catalogue, streaming: SocketNative, *, of_server: bool
) -> None:
    policy = server_policy(GOOD) if of_server else None
    publish(gateway, catalogue_of(gateway.port, list(served.apis.values()), server_policy=policy))
    length = 62 * 1024
    assert send(gateway, "/gateway/patient/1/delayed", FROM_GOOD, ("X-Long", "x" * length)).status == 200
    assert b"x" * length in streaming.heads[-1]
    # The private header, in which the gateway looks up the API, repeats a path.
    assert send(gateway, f"/gateway/patient/1/delayed/{'x' * length}", FROM_GOOD).status == 200
    assert send(gateway, "/gateway/patient/1/delayed", ("X-Long", "x" * (length + 3000))).status == 431


def test_the_size_and_the_number_of_headers_are_settings(gateway: LiveGateway, served: Catalogue) -> None:
    publish(gateway, with_limits(served, Limits(max_head_kib=128, max_headers=150)))
    assert send(gateway, "/nowhere", ("X-Long", "x" * 100 * 1024)).status == 404
    lines = [(f"x-{number}", "y") for number in range(140)]
    assert send(gateway, "/nowhere", *lines).status == 404
    assert send(gateway, "/gateway/pet/1?" + "header=x:y&" * 140).status == 200
    publish(gateway, with_limits(served, Limits(max_head_kib=4, max_headers=20)))
    assert send(gateway, "/nowhere", ("X-Long", "x" * 5 * 1024)).status == 431
    assert send(gateway, "/nowhere", *lines[:30]).status == 431
    assert send(gateway, "/gateway/pet/1?" + "header=x:y&" * 30).status == 502


def test_a_head_that_does_not_arrive_is_408(gateway: LiveGateway, served: Catalogue) -> None:
    publish(gateway, with_limits(served, Limits(head_timeout=1.0)))
    with http1(gateway.port) as connection:
        connection.push(b"GET / HTTP/1.1\r\nHost: gateway.test\r\n")
        assert connection.read_response(RawRequest("GET", "/", ())).status == 408


def test_connections_above_their_number_are_closed(gateway: LiveGateway, served: Catalogue) -> None:
    publish(gateway, with_limits(served, Limits(max_connections=2)))
    request = RawRequest("GET", "/nowhere", ())
    with http1(gateway.port) as one, http1(gateway.port) as two:
        assert one.send(request).status == two.send(request).status == 404
        with connected(gateway.port) as third:
            assert third.recv(1) == b""
        assert one.send(request).status == 404


def test_a_stream_outlives_a_change_of_the_limits_of_native_services(
    gateway: LiveGateway, served: Catalogue, streaming: SocketNative
) -> None:
    publish(gateway, served)
    bodies: list[bytes] = []
    before = len(streaming.heads)
    client = threading.Thread(
        target=lambda: bodies.append(send(gateway, "/gateway/stream/1/events", FROM_GOOD).body)
    )
    client.start()
    while len(streaming.heads) == before:
        client.join(0.01)
    publish(gateway, with_limits(served, Limits(native_timeout=1.0, max_native_requests=5)))
    client.join()
    assert bodies == [PACE.pieces * EVENT]
