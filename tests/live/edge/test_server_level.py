"""Server-level CORS on a real Envoy: before any API is looked up, and turned on and off during traffic."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from tests.catalogues import server_policy
from tests.live.edge.requests import (
    FOREIGN,
    FROM_FOREIGN,
    FROM_GOOD,
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
from tests.native_services import ScriptedNative
from tests.ports import refusing_port
from tests.raw_http import Http1, RawRequest, http1

from crossgate.catalogue.model import Catalogue

pytestmark = pytest.mark.live

ALLOWED = {"access-control-allow-origin": GOOD}
PREFLIGHT = ("Access-Control-Request-Method", "GET")


class Switch:
    """Turns server-level CORS on and off; the API's own policy allows the same origin."""

    def __init__(self, gateway: LiveGateway, pet: ScriptedNative, deaf: int) -> None:
        self._gateway = gateway
        apis = [
            api("pet", pet.port, POLICY),
            api("open", pet.port, None),
            api("deaf", deaf, POLICY),
            api("shop", pet.port, POLICY, endpoints=("/shop/v1",)),
        ]
        self._off = catalogue_of(gateway.port, apis)
        self._on = catalogue_of(gateway.port, apis, server_policy=server_policy(GOOD))

    def turn(self, *, on: bool) -> None:
        wanted: Catalogue = self._on if on else self._off
        if self._gateway.publisher.catalogue is not wanted:
            publish(self._gateway, wanted)


@pytest.fixture(scope="module")
def switch(gateway: LiveGateway, pet: ScriptedNative) -> Iterator[Switch]:
    with refusing_port() as deaf:
        yield Switch(gateway, pet, deaf)


@pytest.fixture
def on(switch: Switch) -> None:
    switch.turn(on=True)


@pytest.mark.usefixtures("on")
@pytest.mark.parametrize("path", ["/nowhere", "/", "/gateway/none/1", "/gateway/pet/1/../../none"])
def test_it_applies_to_unknown_paths(gateway: LiveGateway, path: str) -> None:
    refused = send(gateway, path, FROM_FOREIGN)
    assert (refused.status, cors_of(refused)) == (403, {})
    unknown = send(gateway, path, FROM_GOOD)
    assert (unknown.status, cors_of(unknown)) == (404, ALLOWED)
    assert "origin" in vary_of(unknown)
    assert send(gateway, path).status == 404
    preflight = send(gateway, path, FROM_GOOD, PREFLIGHT, method="OPTIONS")
    assert (preflight.status, cors_of(preflight)["access-control-allow-origin"]) == (200, GOOD)
    assert send(gateway, path, FROM_FOREIGN, PREFLIGHT, method="OPTIONS").status == 403


@pytest.mark.usefixtures("on")
@pytest.mark.parametrize("path", ["/gateway/pet/1", "/gateway/open/1", "/shop/v1"])
def test_it_replaces_every_policy(gateway: LiveGateway, pet: ScriptedNative, path: str) -> None:
    marker = new_marker()
    # Without the exposed headers and the credentials of the API's policy.
    answer = send(gateway, f"{path}?cors&{marker}", FROM_GOOD)
    assert (answer.status, cors_of(answer)) == (200, ALLOWED)
    refused = send(gateway, f"{path}?{marker}", FROM_FOREIGN)
    assert (refused.status, refused.text) == (403, "Specified Origin is not allowed")
    assert len(pet.log.with_marker(marker)) == 1


@pytest.mark.usefixtures("on")
@pytest.mark.parametrize(
    ("path", "status"),
    [("/gateway/deaf/1", 503), ("/gateway/pet/1/reset", 503), ("/gateway/pet/1/status/500", 500)],
)
def test_allowed_origins_can_read_errors(gateway: LiveGateway, path: str, status: int) -> None:
    answer = send(gateway, path, FROM_GOOD)
    assert (answer.status, cors_of(answer)) == (status, ALLOWED)


@pytest.mark.usefixtures("on")
def test_the_native_service_receives_the_same_headers_as_without_it(
    gateway: LiveGateway, pet: ScriptedNative
) -> None:
    claimed = (
        ("x-crossgate-path", "no"),
        ("x-forwarded-host", "claimed"),
        ("x-forwarded-for", "192.0.2.9"),
    )
    seen = received(send(gateway, "/gateway/pet/1/headers", FROM_GOOD, *claimed))
    assert seen["host"] == [f"127.0.0.1:{pet.port}"]
    assert seen["x-forwarded-host"] == ["gateway.test"]
    assert seen["x-forwarded-prefix"] == ["/gateway/pet/1"]
    assert seen["x-forwarded-proto"] == ["http"]
    [address] = seen["x-forwarded-for"]
    assert "," not in address
    assert address != "192.0.2.9"
    assert not [name for name in seen if name.startswith("x-crossgate")]


@pytest.mark.usefixtures("on")
def test_the_internal_listener_does_not_refuse_allowed_requests(gateway: LiveGateway) -> None:
    headers = [(f"x-{number}", "y") for number in range(99)]
    # With an unknown path, because the limit of the native service's HTTP server is lower.
    assert send(gateway, "/nowhere", *headers).status == 404
    assert send(gateway, "/nowhere", *headers, ("x-one-more", "y")).status == 431
    most = "header=x:y&" * 98
    assert send(gateway, f"/gateway/open/1?{most}").status == 200


def status_on(connection: Http1, *headers: tuple[str, str], method: str = "GET", query: str = "") -> int:
    return connection.send(RawRequest(method, f"/gateway/pet/1?{query}", headers)).status


def test_a_policy_applies_to_connections_opened_before_the_switch(
    gateway: LiveGateway, pet: ScriptedNative, switch: Switch
) -> None:
    marker = new_marker()
    spoofed = (FROM_FOREIGN, ("x-crossgate-path", "passed/gateway/pet/1"))
    switch.turn(on=False)
    with http1(gateway.port) as opened_before:
        assert status_on(opened_before, FROM_GOOD) == 200
        switch.turn(on=True)
        assert status_on(opened_before, *spoofed, query=marker) == 403
        assert status_on(opened_before, FROM_FOREIGN, PREFLIGHT, method="OPTIONS", query=marker) == 403
        assert status_on(opened_before, FROM_GOOD) == 200
        with http1(gateway.port) as opened_while_on:
            assert status_on(opened_while_on, FROM_GOOD) == 200
            assert status_on(opened_while_on, *spoofed, query=marker) == 403
            switch.turn(on=False)
            assert status_on(opened_while_on, *spoofed, query=marker) == 403
            assert status_on(opened_while_on, FROM_GOOD) == 200
            assert status_on(opened_before, FROM_GOOD) == 200
        with http1(gateway.port) as fresh:
            assert status_on(fresh, *spoofed, query=marker) == 403
    assert not pet.log.with_marker(marker)


def test_no_request_fails_while_it_is_turned_on_and_off(
    gateway: LiveGateway, pet: ScriptedNative, switch: Switch
) -> None:
    switch.turn(on=False)
    marker = new_marker()
    stop = threading.Event()
    statuses: list[list[int]] = [[] for _ in range(4)]
    failures: list[BaseException] = []

    def run(client: int) -> None:
        try:
            while not stop.is_set():
                with http1(gateway.port) as connection:
                    for _ in range(20):
                        statuses[client].append(status_on(connection, FROM_GOOD))
                        statuses[client].append(status_on(connection, ("Origin", FOREIGN), query=marker))
        except BaseException as failure:  # noqa: BLE001 - the main thread raises it
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(client,)) for client in range(4)]
    for thread in threads:
        thread.start()
    try:
        for number in range(10):
            switch.turn(on=number % 2 == 0)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[0]
    for seen in statuses:
        assert len(seen) > 0
        assert seen == [200, 403] * (len(seen) // 2)
    assert not pet.log.with_marker(marker)
