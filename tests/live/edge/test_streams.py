"""Nothing is cut while it flows; what is late or stalls gets an error that allowed origins can read.

Everything here waits, so all exchanges of one mode run at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from tests.catalogues import server_policy
from tests.live.edge.requests import FROM_GOOD, GOOD, GRANTED, POLICY, cors_of, publish
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of
from tests.native_services import SocketNative
from tests.raw_http import RawRequest, RawResponse, http1
from tests.streaming import EVENT, PIECE, Pace

pytestmark = pytest.mark.live

BEGIN = 0.7
IDLE = 20.0
SHORT_IDLE = 0.9
PACE = Pace(pieces=15, pause=0.1, quiet=3 * SHORT_IDLE)
"""In all, 15 pieces take longer than ``BEGIN`` and ``SHORT_IDLE``; each pause is far below both."""

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


def get(http: str, path: str) -> Exchange:
    return partial(PACE.get, http, f"/gateway/{path}", GOOD)


def upload(http: str, path: str, pieces: int = PACE.pieces) -> Exchange:
    return partial(PACE.upload, http, f"/gateway/{path}", GOOD, pieces)


def websocket(path: str, spelling: str = "websocket") -> Exchange:
    return partial(PACE.websocket, f"/gateway/{path}", GOOD, spelling)


def claimed_websocket(port: int) -> RawResponse:
    headers = (FROM_GOOD, ("Upgrade", "websocket"), ("Content-Length", "10"))
    request = RawRequest("POST", "/gateway/sockets/1/upload", headers)
    with http1(port) as connection:
        connection.send_only(request)
        return connection.read_response(request)


Expected = tuple[Exchange, int, bytes | None]
"""What is sent; the status of the response, and its body, None for any."""


def exchanges(http: str) -> dict[str, Expected]:
    events, everything = PACE.pieces * EVENT, PACE.pieces * PIECE
    return {
        "events that flow": (get(http, "flowing/1/events"), 200, events),
        "events without limits": (get(http, "unlimited/1/events"), 200, events),
        "events beyond the idle time": (get(http, "idle/1/events"), 200, events),
        "a download": (get(http, "flowing/1/download"), 200, everything),
        "an upload": (upload(http, "flowing/1/upload"), 200, b"ok"),
        "an upload beyond the idle time": (upload(http, "idle/1/upload"), 200, b"ok"),
        "a stalled upload": (upload(http, "idle/1/upload", 2), 408, None),
        "an answer that does not begin": (get(http, "flowing/1/never"), 504, None),
        "an answer that stalls": (get(http, "idle/1/gap"), 200, b"first"),
        "an answer that may begin late": (get(http, "patient/1/delayed"), 200, b"ok"),
    }


EXCHANGES: Mapping[str, Expected] = {
    **{f"{name}, HTTP/1.1": one for name, one in exchanges("1.1").items()},
    **{f"{name}, HTTP/2": one for name, one in exchanges("2").items()},
    "a quiet WebSocket": (websocket("flowing/1/websocket"), 101, b"hello"),
    "a quiet WebSocket with a time of its own": (websocket("sockets/1/websocket"), 101, b"hello"),
    "an upgrade in other letters": (websocket("sockets/1/websocket", "WebSocket"), 101, b"hello"),
    "a WebSocket without limits": (websocket("unlimited/1/websocket"), 101, b"hello"),
    "a WebSocket that is quiet for too long": (websocket("idle/1/websocket"), 101, b""),
    "a WebSocket with a short time": (websocket("short-sockets/1/websocket"), 101, b""),
    "a handshake that is not answered": (websocket("sockets/1/never"), 504, None),
    "a request that claims to be a WebSocket": (claimed_websocket, 408, None),
}


@pytest.fixture(scope="module")
def native() -> Iterator[SocketNative]:
    with PACE.native() as service:
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
