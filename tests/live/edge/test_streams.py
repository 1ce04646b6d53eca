"""Nothing is cut while it flows; what is late or stalls gets an error that allowed origins can read.

Everything here waits, so all exchanges of one mode run at the same time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from tests.catalogues import server_policy
from tests.http2_client import http2
from tests.live.edge.requests import FROM_GOOD, GOOD, GRANTED, POLICY, cors_of, publish
from tests.live.edge.streaming_native import BEGIN, EVENT, IDLE, PAUSE, PIECES, SHORT_IDLE, converse
from tests.live.edge.test_websocket import handshake
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of
from tests.native_services import SocketNative
from tests.raw_http import RawRequest, RawResponse, http1

pytestmark = pytest.mark.live

BY_SERVER = {"access-control-allow-origin": GOOD}
TIMES: Mapping[str, Mapping[str, float]] = {
    "flowing": {"native_timeout": BEGIN, "native_idle_timeout": IDLE},
    "unlimited": {"native_timeout": 0.0, "native_idle_timeout": 0.0},
    "idle": {"native_timeout": BEGIN, "native_idle_timeout": SHORT_IDLE},
    "patient": {"native_timeout": IDLE, "native_idle_timeout": SHORT_IDLE},
    "sockets": {"native_timeout": BEGIN, "native_idle_timeout": SHORT_IDLE, "websocket_idle_timeout": 0.0},
    "short-sockets": {"websocket_idle_timeout": SHORT_IDLE},
}

Exchange = Callable[[int], RawResponse]
"""Takes the gateway's port."""


def get(http: str, target: str, port: int) -> RawResponse:
    if http == "1.1":
        with http1(port) as connection:
            return connection.send(RawRequest("GET", target, (FROM_GOOD,)))
    with http2(port) as streams:
        return streams.read(streams.start(RawRequest("GET", target, (("origin", GOOD),))))


def upload(http: str, target: str, pieces: int, port: int) -> RawResponse:
    """The response to an upload of which only so many pieces are sent."""
    request = RawRequest("POST", target, (("origin", GOOD), ("content-length", str(PIECES * 1000))))
    if http == "1.1":
        with http1(port) as connection:
            connection.send_only(request)
            for _ in range(pieces):
                connection.push(b"x" * 1000)
                time.sleep(PAUSE)
            return connection.read_response(request)
    with http2(port) as streams:
        stream = streams.start(request, end=False)
        for number in range(pieces):
            streams.push(stream, b"x" * 1000, end=number == PIECES - 1)
            time.sleep(PAUSE)
        return streams.read(stream)


def websocket(name: str, spelling: str, port: int) -> RawResponse:
    """The handshake's response, with what comes back after a pause longer than ``SHORT_IDLE`` as its body."""
    opening = handshake(GOOD).replace("/chat/1/room", f"/{name}/1/websocket")
    with http1(port) as connection:
        answer = connection.send_raw(opening.replace("Upgrade: websocket", f"Upgrade: {spelling}"))
        time.sleep(3 * SHORT_IDLE)
        try:
            connection.push(b"hello")
            return RawResponse(answer.status, answer.headers, connection.pull(5))
        except ConnectionError:
            return RawResponse(answer.status, answer.headers, b"")


def unanswered_handshake(port: int) -> RawResponse:
    with http1(port) as connection:
        return connection.send_raw(handshake(GOOD).replace("/chat/1/room", "/sockets/1/never"))


def claimed_websocket(port: int) -> RawResponse:
    headers = (FROM_GOOD, ("Upgrade", "websocket"), ("Content-Length", "10"))
    request = RawRequest("POST", "/gateway/sockets/1/upload", headers)
    with http1(port) as connection:
        connection.send_only(request)
        return connection.read_response(request)


EXCHANGES: Mapping[str, tuple[Exchange, int, bytes | None]] = {
    **{
        f"{name}, HTTP/{http}": (partial(send, http, *arguments), status, body)
        for http in ("1.1", "2")
        for name, send, arguments, status, body in (
            ("events that flow", get, ("/gateway/flowing/1/events",), 200, PIECES * EVENT),
            ("events without limits", get, ("/gateway/unlimited/1/events",), 200, PIECES * EVENT),
            ("events beyond the idle time", get, ("/gateway/idle/1/events",), 200, PIECES * EVENT),
            ("a download", get, ("/gateway/flowing/1/download",), 200, b"x" * PIECES * 1000),
            ("an upload", upload, ("/gateway/flowing/1/upload", PIECES), 200, b"ok"),
            ("an upload beyond the idle time", upload, ("/gateway/idle/1/upload", PIECES), 200, b"ok"),
            ("a stalled upload", upload, ("/gateway/idle/1/upload", 2), 408, None),
            ("an answer that does not begin", get, ("/gateway/flowing/1/never",), 504, None),
            ("an answer that stalls", get, ("/gateway/idle/1/gap",), 200, b"first"),
            ("an answer that may begin late", get, ("/gateway/patient/1/delayed",), 200, b"ok"),
        )
    },
    "a quiet WebSocket": (partial(websocket, "flowing", "websocket"), 101, b"hello"),
    "a quiet WebSocket with a time of its own": (partial(websocket, "sockets", "websocket"), 101, b"hello"),
    "an upgrade in other letters": (partial(websocket, "sockets", "WebSocket"), 101, b"hello"),
    "a WebSocket without limits": (partial(websocket, "unlimited", "websocket"), 101, b"hello"),
    "a WebSocket that is quiet for too long": (partial(websocket, "idle", "websocket"), 101, b""),
    "a WebSocket with a short time": (partial(websocket, "short-sockets", "websocket"), 101, b""),
    "a handshake that is not answered": (unanswered_handshake, 504, None),
    "a request that claims to be a WebSocket": (claimed_websocket, 408, None),
}  # fmt: skip
"""What is sent, and the response: its status and its body, None for any."""


@pytest.fixture(scope="module")
def native() -> Iterator[SocketNative]:
    with SocketNative(converse) as service:
        yield service


@pytest.fixture(scope="module", params=["policies of APIs", "server-level CORS"])
def answers(
    request: pytest.FixtureRequest, gateway: LiveGateway, native: SocketNative
) -> tuple[dict[str, str], Mapping[str, RawResponse]]:
    """The CORS headers of every response, and the response to each exchange."""
    of_server = request.param == "server-level CORS"
    apis = [api(name, native.port, POLICY, **times) for name, times in TIMES.items()]
    policy = server_policy(GOOD) if of_server else None
    publish(gateway, catalogue_of(gateway.port, apis, server_policy=policy))
    with ThreadPoolExecutor(len(EXCHANGES)) as pool:
        pending = {name: pool.submit(exchange, gateway.port) for name, (exchange, *_) in EXCHANGES.items()}
    return BY_SERVER if of_server else GRANTED, {name: one.result() for name, one in pending.items()}


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_what_flows_goes_on_and_what_does_not_ends(
    answers: tuple[dict[str, str], Mapping[str, RawResponse]], exchange: str
) -> None:
    granted, responses = answers
    _, status, body = EXCHANGES[exchange]
    answer = responses[exchange]
    assert (answer.status, cors_of(answer)) == (status, granted)
    assert body is None or answer.body == body
