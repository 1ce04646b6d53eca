"""WebSockets: browsers open them across origins without a preflight; the policy applies to the handshake."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from tests.catalogues import server_policy
from tests.live.edge.requests import FOREIGN, GOOD, POLICY, publish
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of
from tests.native_services import SocketNative
from tests.raw_http import http1
from tests.streaming import UPGRADED

from crossgate.catalogue.model import Catalogue

pytestmark = pytest.mark.live

NATIVE_TIMEOUT = 0.2


def echo(connection: socket.socket, head: bytes) -> None:
    """Switches protocols, then echoes what it receives, until ``bye``."""
    assert b"upgrade: websocket" in head.lower()
    connection.sendall(UPGRADED)
    while received := connection.recv(100):
        connection.sendall(received)
        if received == b"bye":
            return


@pytest.fixture(scope="module")
def native() -> Iterator[SocketNative]:
    with SocketNative(echo) as service:
        yield service


@pytest.fixture(scope="module", params=[False, True], ids=["policies of APIs", "server-level CORS"])
def catalogue(request: pytest.FixtureRequest, gateway: LiveGateway, native: SocketNative) -> Catalogue:
    chat = api("chat", native.port, POLICY, native_timeout=NATIVE_TIMEOUT)
    policy = server_policy(GOOD) if request.param else None
    declared = catalogue_of(gateway.port, [chat], server_policy=policy)
    publish(gateway, declared)
    return declared


def handshake(origin: str) -> str:
    return (
        "GET /gateway/chat/1/room HTTP/1.1\r\nHost: gateway.test\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Origin: {origin}\r\n\r\n"
    )


@pytest.mark.usefixtures("catalogue")
def test_it_opens_from_an_allowed_origin_and_outlives_the_response_timeout(
    gateway: LiveGateway, native: SocketNative
) -> None:
    with http1(gateway.port) as connection:
        assert connection.send_raw(handshake(GOOD)).status == 101
        assert native.heads[-1].startswith(b"GET /room HTTP/1.1\r\n")
        for message in (b"hello", b"again", b"bye"):
            connection.push(message)
            assert connection.pull(len(message)) == message
            # The test is that the timeout of responses does not apply.
            time.sleep(NATIVE_TIMEOUT)


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("nominated", ["", ", Origin"], ids=["", "a Connection header names it"])
def test_a_foreign_origin_is_refused_and_not_forwarded(
    gateway: LiveGateway, native: SocketNative, nominated: str
) -> None:
    before = len(native.heads)
    with http1(gateway.port) as connection:
        answer = connection.send_raw(handshake(FOREIGN).replace("Upgrade\r\n", f"Upgrade{nominated}\r\n", 1))
    assert answer.status == 403
    assert len(native.heads) == before


@pytest.mark.usefixtures("catalogue")
def test_the_native_service_receives_no_header_names_of_a_clients_connection_header(
    gateway: LiveGateway, native: SocketNative
) -> None:
    """An intermediary behind the gateway would remove the gateway's own headers."""
    nominating = handshake(GOOD).replace("Upgrade\r\n", "keep-alive, Upgrade, X-Forwarded-For, Origin\r\n", 1)
    with http1(gateway.port) as connection:
        assert connection.send_raw(nominating).status == 101
        lines = native.heads[-1].lower().split(b"\r\n")
        assert [line for line in lines if line.startswith(b"connection:")] == [b"connection: upgrade"]
        assert any(line.startswith(b"x-forwarded-for:") for line in lines)
        connection.push(b"bye")
        assert connection.pull(3) == b"bye"
