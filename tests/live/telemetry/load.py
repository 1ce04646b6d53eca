"""Requests of many kinds, sent fast over HTTP/1.1 and HTTP/2, and the decision that each kind meets."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import StreamEnded, StreamReset

from crossgate.compiler.route_names import UNMATCHED, DecisionSeries

ENFORCED, OBSERVED = "/gateway/pets/1", "/gateway/looks/1"
ALLOWED_ORIGIN, REFUSED_ORIGIN = "https://app.example", "https://evil.example"
_SECONDS = 60.0
_AT_ONCE = 50
_LENGTH = re.compile(rb"content-length: (\d+)")


@dataclass(frozen=True)
class Kind:
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    series: DecisionSeries


def _kind(
    method: str, endpoint: str, flow: str, reason: str, *headers: tuple[str, str], observed: bool = False
) -> Kind:
    series = DecisionSeries(f"{endpoint.split('/')[2]}/1", endpoint, flow, reason, observed)
    return Kind(method, endpoint + "/a?key=secret", headers, series)


_ORIGIN, _EVIL = ("origin", ALLOWED_ORIGIN), ("origin", REFUSED_ORIGIN)
_GET, _DELETE = ("access-control-request-method", "GET"), ("access-control-request-method", "DELETE")
ANSWERED = (
    _kind("OPTIONS", ENFORCED, "preflight", "preflight-allowed", _ORIGIN, _GET),
    _kind("OPTIONS", ENFORCED, "preflight", "origin-refused", _EVIL, _GET),
    _kind("OPTIONS", ENFORCED, "preflight", "method-refused", _ORIGIN, _DELETE),
    _kind("OPTIONS", ENFORCED, "preflight", "origin-missing", _GET),
    _kind("GET", ENFORCED, "cors-request", "origin-refused", _EVIL),
    _kind("PURGE", ENFORCED, "cors-request", "origin-refused", _EVIL),
    Kind("GET", "/gateway/unknown/1/a", (), UNMATCHED),
)
"""Envoy answers these itself."""
FORWARDED = (
    _kind("GET", ENFORCED, "cors-request", "origin-allowed", _ORIGIN),
    _kind("GET", ENFORCED, "no-origin", "no-origin"),
    _kind("GET", OBSERVED, "cors-request", "origin-refused", _EVIL, observed=True),
    _kind("OPTIONS", OBSERVED, "preflight", "origin-refused", _EVIL, _GET, observed=True),
)


def mixed(count: int) -> list[Kind]:
    """That many requests, of which a tenth is forwarded."""
    # Numbers without a common divisor, so that connections get different mixtures.
    answered, forwarded = cycle(ANSWERED), cycle(FORWARDED)
    return [next(forwarded) if number % 10 == 9 else next(answered) for number in range(count)]


async def send(port: int, kinds: Sequence[Kind]) -> Counter[DecisionSeries]:
    """Send each once, one in eleven over HTTP/2; returns the decisions, when all responses are there."""
    loads = [kinds[start : start + _AT_ONCE] for start in range(0, len(kinds), _AT_ONCE)]
    todo = iter(list(enumerate(loads)))

    async def work() -> None:
        for number, load in todo:
            await (_send_http2 if number % 11 == 3 else _send_http1)(port, load)

    async with asyncio.timeout(_SECONDS), asyncio.TaskGroup() as group:
        for _ in islice(cycle([0]), 4):
            group.create_task(work())
    return Counter(kind.series for kind in kinds)


async def send_malformed(port: int) -> Counter[DecisionSeries]:
    """Send a head that cannot be parsed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nNo header\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
    writer.close()
    return Counter([UNMATCHED])


async def _send_http1(port: int, kinds: Sequence[Kind]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for kind in kinds:
            lines = "".join(f"{name}: {value}\r\n" for name, value in kind.headers)
            writer.write(f"{kind.method} {kind.path} HTTP/1.1\r\nhost: a\r\n{lines}\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            [length] = _LENGTH.findall(head)
            await reader.readexactly(int(length))
    finally:
        writer.close()


async def _send_http2(port: int, kinds: Sequence[Kind]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        connection = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        connection.initiate_connection()
        for number, kind in enumerate(kinds):
            pseudo = {
                ":method": kind.method,
                ":scheme": "http",
                ":authority": "a",
                ":path": kind.path,
            }
            headers = [*pseudo.items(), *kind.headers]
            connection.send_headers(2 * number + 1, headers, end_stream=True)
        missing = len(kinds)
        while missing:
            writer.write(connection.data_to_send())
            data = await reader.read(65536)
            assert data, f"{missing} responses are missing"
            for event in connection.receive_data(data):
                assert not isinstance(event, StreamReset)
                missing -= isinstance(event, StreamEnded)
    finally:
        writer.close()
