"""Floods of the admin API from one address, with the real limits: everybody else is answered meanwhile."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from tests.admin_api import client_of
from tests.command import CommandProcess
from tests.live.admin.store_gateway import first_token
from tests.ports import free_ports
from tests.raw_http import connected

CONNECTIONS = 540
"""More than the admin API holds."""
HEAD_SECONDS = 10.0
HALF_HEAD = b"GET /live HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[tuple[int, str, CommandProcess]]:
    """Port of the admin API, a secret, and the process."""
    xds, port = free_ports(2)
    options = ("--data", "data", "--no-envoy", "--xds", f"127.0.0.1:{xds}", "--admin", f"127.0.0.1:{port}")
    with CommandProcess(tmp_path, "run", *options, "--health", "127.0.0.1:0") as command:
        command.wait_for("The admin API listens")
        yield port, first_token(command), command


def answered(port: int, secret: str) -> float:
    """Seconds until a request on a connection of its own is answered; none may fail."""
    begun = time.monotonic()
    with client_of(f"http://127.0.0.1:{port}", secret) as client:
        assert client.get("/v1/apis", timeout=5).status_code == 200
    return time.monotonic() - begun


def closed_of(sockets: list[socket.socket], seconds: float) -> int:
    """How many of the sockets the server closes within that time."""
    with selectors.DefaultSelector() as selector:
        for one in sockets:
            one.setblocking(False)
            selector.register(one, selectors.EVENT_READ)
        deadline = time.monotonic() + seconds
        while selector.get_map() and time.monotonic() < deadline:
            for key, _ in selector.select(0.1):
                try:
                    ended = not key.fileobj.recv(65536)  # type: ignore[union-attr]
                except ConnectionError:
                    ended = True
                if ended:
                    selector.unregister(key.fileobj)
        return len(sockets) - len(selector.get_map())


def test_half_heads_lock_nobody_out(gateway: tuple[int, str, CommandProcess]) -> None:
    port, secret, command = gateway
    with ExitStack() as stack, client_of(f"http://127.0.0.1:{port}", secret) as kept:
        assert kept.get("/v1/apis").status_code == 200
        flood = [stack.enter_context(connected(port)) for _ in range(CONNECTIONS)]
        for one in flood:
            one.sendall(HALF_HEAD)
        print(f"answered in {answered(port, secret) * 1000:.0f} ms beside {CONNECTIONS} half heads")  # noqa: T201 - the figure of this run
        assert kept.get("/v1/apis").status_code == 200
        health = next(line["url"] for line in command.lines if line.get("event") == "health-listening")
        assert httpx.get(f"{health}/ready", timeout=5, trust_env=False).status_code == 200
        assert closed_of(flood, HEAD_SECONDS + 5) == CONNECTIONS
        assert answered(port, secret) < 5
    assert "Traceback" not in command.output


def test_heads_sent_byte_by_byte_lock_nobody_out(gateway: tuple[int, str, CommandProcess]) -> None:
    port, secret, command = gateway
    slowest, ended = 0.0, 0
    with ExitStack() as stack:
        drips = [stack.enter_context(connected(port)) for _ in range(CONNECTIONS)]
        begun = time.monotonic()
        for byte in HALF_HEAD + b"X-Padding: " + b"x" * 4096:
            for one in drips:
                try:
                    one.sendall(bytes([byte]))
                except ConnectionError:
                    ended += 1
            slowest = max(slowest, answered(port, secret))
            if time.monotonic() - begun > HEAD_SECONDS + 2:
                break
        assert closed_of(drips, 5) == CONNECTIONS
    print(f"slowest answer {slowest * 1000:.0f} ms beside {CONNECTIONS} heads sent byte by byte")  # noqa: T201 - the figure of this run
    assert ended > 0
    assert "Traceback" not in command.output


def test_flood_of_new_connections_locks_nobody_out(gateway: tuple[int, str, CommandProcess]) -> None:
    """Each request gets through although other connections of its address arrive all the time."""
    port, secret, command = gateway
    slowest, opened = 0.0, 0
    with ExitStack() as stack:
        for _ in range(40):
            flood = [stack.enter_context(connected(port)) for _ in range(100)]
            opened += len(flood)
            slowest = max(slowest, answered(port, secret))
            for one in flood:
                one.close()
    print(f"slowest answer {slowest * 1000:.0f} ms beside {opened} new connections")  # noqa: T201 - the figure of this run
    assert "Traceback" not in command.output


def test_invalid_tokens_write_few_lines_and_lock_nobody_out(
    gateway: tuple[int, str, CommandProcess],
) -> None:
    port, secret, command = gateway
    before = command.output.count("\n")
    with client_of(f"http://127.0.0.1:{port}", "cgt_guess") as stranger:
        statuses = [_status(stranger) for _ in range(2_000)]
    assert set(statuses) <= {401, 429}
    assert answered(port, secret) < 5
    assert command.output.count("\n") - before < 100


def _status(client: httpx.Client) -> int:
    return client.get("/v1/apis", timeout=30).status_code
