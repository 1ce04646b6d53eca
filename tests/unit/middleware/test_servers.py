"""The case table through real servers, over raw sockets; WebSockets and exceptions too."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.asgi_wsgi import REACHED
from tests.case_server import SHOP
from tests.case_table import Case, load_cases
from tests.ports import free_ports
from tests.raw_http import RawRequest, http1
from tests.visible_result import VisibleResult, visible_result

ROOT: Final = Path(__file__).parents[3]

UVICORN: Final = "uvicorn tests.case_server:asgi --port {port} --lifespan off --log-level critical --http"
COMMANDS: Final = {
    "uvicorn, h11": f"{UVICORN} h11",
    "uvicorn, httptools": f"{UVICORN} httptools",
    "hypercorn": "hypercorn tests.case_server:asgi --bind 127.0.0.1:{port} --log-level critical",
    "granian": "granian tests.case_server:asgi --interface asginl --port {port} --no-log",
    "gunicorn": "gunicorn tests.case_server:wsgi --bind 127.0.0.1:{port} --threads 2 --log-level critical",
    "granian, WSGI": "granian tests.case_server:wsgi --interface wsgi --port {port} --no-log",
}
REFUSED_BY_THE_SERVER: Final = frozenset({400, 401, 413, 431, 501})
"""What servers answer to requests that they do not hand on."""


@pytest.fixture(scope="module", params=COMMANDS)
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    (port,) = free_ports(1)
    module, *arguments = COMMANDS[request.param].format(port=port).split()
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, env=environ, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(port, process)
            yield request.param, port
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            continue
        return
    raise TimeoutError


def _speaks_wsgi(name: str) -> bool:
    return "WSGI" in name or name == "gunicorn"


def test_every_case(server: tuple[str, int]) -> None:
    name, port = server
    runner = "wsgi" if _speaks_wsgi(name) else "asgi"
    differing: dict[str, list[str]] = {}
    answered = 0
    for number, case in enumerate(load_cases()):
        if not case.runs_on(runner) or case.request.http == "2" or _altered(name, case):
            continue
        seen = _served(port, number, case)
        if seen.status in REFUSED_BY_THE_SERVER and seen.status != case.expect.status:
            assert not seen.reaches_native
            continue
        answered += 1
        differences = case.expect.differences(seen)
        if differences:
            differing[case.id] = differences
    assert differing == {}
    assert answered > 450


def _altered(server: str, case: Case) -> bool:
    """Whether the server hands on another request than it was sent."""
    values = [value for _, value in case.request.headers]
    return (
        sum(map(len, values)) > 4000  # too long for some
        or (server == "hypercorn" and case.request.method == "options")  # ASGI: the method, upper-cased
        or (server == "granian, WSGI" and not "".join(values).isascii())  # it drops such values
    )


def _served(port: int, number: int, case: Case) -> VisibleResult:
    request = RawRequest(case.request.method, f"/{number}", case.request.headers)
    with http1(port) as connection:
        answer = connection.send(request)
    reached = answer.all(REACHED) == ["yes"]
    return visible_result(
        reaches_native=reached,
        status=answer.status,
        headers=answer.headers,
        body=None if reached or case.request.method == "HEAD" else answer.text,
    )


def test_an_exception_is_answered_with_headers(server: tuple[str, int]) -> None:
    _, port = server
    with http1(port) as connection:
        answer = connection.send(RawRequest("GET", "/broken", (("Origin", SHOP),)))
    assert (answer.status, answer.text) == (500, "Internal Server Error")
    assert answer.all("Access-Control-Allow-Origin") == [SHOP]


@pytest.mark.parametrize(("origin", "status"), [(SHOP, 101), ("https://evil.example.org", 403)])
def test_websocket_handshakes_are_checked(server: tuple[str, int], origin: str, status: int) -> None:
    name, port = server
    if _speaks_wsgi(name):
        return
    handshake = (
        ("Origin", origin),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    )
    with http1(port) as connection:
        answer = connection.send(RawRequest("GET", "/socket", handshake))
    assert answer.status == status
    if status == 101 and name != "granian":  # it sends no headers of the application here
        assert answer.all("Access-Control-Allow-Origin") == [SHOP]
        assert answer.all("Vary") == ["Origin"]
