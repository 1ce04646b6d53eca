"""The default times at full length: 30 s to begin, 300 s for gaps, and nothing that flows is cut.

All exchanges run at the same time, in both modes; the run takes six minutes. Its figures are in
docs/decisions/018-time-limits.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from tests.command import running_gateway
from tests.live.edge.requests import GOOD, cors_of
from tests.ports import free_ports
from tests.raw_http import RawResponse
from tests.streaming import EVENT, PIECE, Pace

pytestmark = pytest.mark.acceptance

PACE = Pace(pieces=66, pause=5.0, quiet=330.0, timeout=400.0)
SHORT = Pace(pieces=9, pause=5.0, quiet=20.0, timeout=400.0)
"""45 s: longer than the 30 s in which an answer must begin."""
GRANTED = {"access-control-allow-origin": GOOD}

Exchange = Callable[[int], RawResponse]


@dataclass(frozen=True, slots=True)
class Expected:
    """The response to an exchange, and the seconds after which it is complete: at least, at most."""

    exchange: Exchange
    status: int
    body: bytes | None
    least: float
    most: float


def _over(http: str) -> dict[str, Expected]:
    def get(path: str) -> Exchange:
        return partial(PACE.get, http, f"/gateway/{path}", GOOD)

    def upload(sent: int) -> Exchange:
        return partial(PACE.upload, http, "/gateway/long/1.0/upload", GOOD, sent)

    return {
        "events, 45 s": Expected(get("short/1.0/events"), 200, SHORT.pieces * EVENT, 40, 60),
        "events, 330 s": Expected(get("long/1.0/events"), 200, PACE.pieces * EVENT, 325, 360),
        "download, 330 s": Expected(get("long/1.0/download"), 200, PACE.pieces * PIECE, 320, 360),
        "upload, 330 s": Expected(upload(PACE.pieces), 200, b"ok", 325, 360),
        "stalled upload": Expected(upload(1), 408, None, 295, 330),
        "answer that does not begin": Expected(get("long/1.0/never"), 504, None, 29, 45),
        "answer that stalls": Expected(get("long/1.0/gap"), 200, b"first", 295, 330),
    }


def _websocket(api: str) -> Exchange:
    return partial(PACE.websocket, f"/gateway/{api}/1.0/websocket", GOOD, "websocket")


EXCHANGES: Mapping[str, Expected] = {
    **{f"{name}, HTTP/1.1": one for name, one in _over("1.1").items()},
    **{f"{name}, HTTP/2": one for name, one in _over("2").items()},
    "quiet WebSocket": Expected(_websocket("long"), 101, b"", 325, 360),
    "quiet WebSocket with a time of its own": Expected(_websocket("sockets"), 101, b"hello", 325, 360),
}
MODES = ("policies of APIs", "server-level CORS")


def _document(port: int, native: int, short: int, *, server_level: bool) -> str:
    apis = "".join(
        f"""
  - name: {name}
    version: "1.0"
    type: rest
    native: http://127.0.0.1:{native_port}
    cors: {{allowed_origins: [{GOOD}], allowed_methods: [GET]}}
    {more}
"""
        for name, native_port, more in (
            ("long", native, ""),
            ("short", short, ""),
            ("sockets", native, "websocket_idle_timeout: 0"),
        )
    )
    return f"""
gateway:
  listen: 127.0.0.1:{port}
settings:
  watt.server.cors.enabled: {str(server_level).lower()}
  watt.server.cors.allowedOrigins: {GOOD}
apis:{apis}"""


Results = Mapping[tuple[str, str], "Future[tuple[RawResponse, float]]"]
"""By mode and exchange, the response and the seconds that it took."""


def _timed(exchange: Exchange, port: int) -> tuple[RawResponse, float]:
    started = time.monotonic()
    return exchange(port), time.monotonic() - started


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    with ExitStack() as stack:
        native, short = stack.enter_context(PACE.native()), stack.enter_context(SHORT.native())
        ports = dict(zip(MODES, free_ports(len(MODES)), strict=True))
        for mode, port in ports.items():
            file: Path = tmp_path_factory.mktemp("gateway") / "gateway.yaml"
            server_level = mode == "server-level CORS"
            document = _document(port, native.port, short.port, server_level=server_level)
            file.write_text(document, encoding="utf-8")
            stack.enter_context(running_gateway(file))
        with ThreadPoolExecutor(len(MODES) * len(EXCHANGES)) as pool:
            return {
                (mode, name): pool.submit(_timed, expected.exchange, port)
                for mode, port in ports.items()
                for name, expected in EXCHANGES.items()
            }


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_the_default_times(results: Results, exchange: str, mode: str) -> None:
    expected = EXCHANGES[exchange]
    answer, seconds = results[mode, exchange].result()
    print(f"\n{mode}, {exchange}: {answer.status} after {seconds:.1f} s")  # noqa: T201 - for the documentation
    assert (answer.status, cors_of(answer)) == (expected.status, GRANTED)
    assert expected.body is None or answer.body == expected.body
    assert expected.least <= seconds <= expected.most
