"""The health checks: paths, methods, Host, the page of metrics, addresses that are taken, slow clients."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from tests.raw_http import RawRequest, RawResponse, connected, http1

from crossgate.app import health as health_module
from crossgate.app.events import Event, HealthListening, HealthUnavailable
from crossgate.app.health import Health, HealthOptions
from crossgate.app.health_state import HealthReason
from crossgate.diagnostics import InvalidInput
from crossgate.net.address import HostPort

_SECONDS = 30
FREE = HealthOptions(HostPort("127.0.0.1", 0), ("gateway.internal",), required=True)


class Fails:
    def __init__(self) -> None:
        self.found: list[HealthReason] = []

    async def reasons(self) -> list[HealthReason]:
        return self.found


def run(client: Callable[[Health, int, asyncio.Event], None], *, started: bool = True) -> None:
    """Call ``client`` in a thread while the checks are answered at the port."""

    async def serve() -> None:
        stop, listening = asyncio.Event(), asyncio.Queue[Event]()
        health = Health(FREE, stop, listening.put_nowait)
        async with asyncio.timeout(_SECONDS), health.serving():
            if started:
                health.set_started()
            event = await listening.get()
            assert isinstance(event, HealthListening)
            await asyncio.to_thread(client, health, int(event.url.rpartition(":")[2]), stop)

    asyncio.run(serve())


def send(port: int, path: str, method: str = "GET", *headers: tuple[str, str]) -> RawResponse:
    with http1(port) as connection:
        return connection.send(RawRequest(method, path, (("Host", "127.0.0.1"), *headers)))


def body(response: RawResponse) -> Any:
    return json.loads(response.text)


def codes(response: RawResponse, name: str = "reasons") -> list[str]:
    return [one["code"] for one in body(response)[name]]


def test_live_and_ready() -> None:
    def client(health: Health, port: int, stop: asyncio.Event) -> None:
        check, warning = Fails(), HealthReason("odd", "it is odd")
        health.state.checks.append(check)
        health.state.warnings += [lambda: None, lambda: warning]
        live = send(port, "/live")
        assert (live.status, body(live)) == (200, {"status": "live"})
        assert live.all("Cache-Control") == ["no-store"]
        ready = send(port, "/ready")
        assert (ready.status, body(ready)["status"], codes(ready)) == (200, "ready", [])
        assert codes(ready, "warnings") == ["odd"]
        check.found = [HealthReason("first", "a"), HealthReason("second", "b")]
        unready = send(port, "/ready")
        assert (unready.status, body(unready)["status"]) == (503, "unready")
        assert codes(unready) == ["first", "second"]
        stop.set()
        assert codes(send(port, "/ready")) == ["stopping"]
        assert send(port, "/live").status == 200

    run(client)


def test_methods_paths_and_hosts() -> None:
    def client(_health: Health, port: int, _stop: asyncio.Event) -> None:
        head = send(port, "/ready", "HEAD")
        assert (head.status, head.text, head.all("Content-Length")) == (200, "", ["51"])
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            refused = send(port, "/ready", method)
            assert (refused.status, refused.all("Allow")) == (405, ["GET, HEAD"])
        for path in ("/", "/metrics", "/ready/", "/READY", "/live/x", "/%00", "/readyz"):
            assert send(port, path).status == 404
        assert send(port, "/ready?x=1").status == 200
        with http1(port) as connection:
            for host in ("localhost", "LOCALHOST:1", "[::1]:8091", "10.0.0.1", "Gateway.Internal:80"):
                assert connection.send(RawRequest("GET", "/ready", (("Host", host),))).status == 200
            for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8091"):
                assert connection.send(RawRequest("GET", "/ready", (("Host", host),))).status == 421
        with connected(port) as opened:
            opened.sendall(b"GET /ready HTTP/1.0\r\n\r\n")
            assert opened.recv(65536).startswith(b"HTTP/1.1 200 ")

    run(client)


def test_metrics_are_rendered_in_a_thread() -> None:
    calls: list[tuple[str, str, str]] = []

    def render(query: str, accept: str, encoding: str) -> tuple[str, dict[str, str], bytes]:
        calls.append((query, accept, encoding))
        assert threading.current_thread() is not threading.main_thread()
        if query == "by=x":
            raise ValueError("by must be node")
        if query == "fail":
            raise RuntimeError
        return "text/plain; version=0.0.4", {"Vary": "Accept"}, b"a 1\n"

    def client(health: Health, port: int, _stop: asyncio.Event) -> None:
        health.metrics = render
        page = send(
            port, "/metrics?by=node", "GET", ("Accept", "a"), ("Accept", "b"), ("Accept-Encoding", "c")
        )
        assert (page.status, page.text, page.all("Vary")) == (200, "a 1\n", ["Accept"])
        assert page.all("Content-Type") == ["text/plain; version=0.0.4"]
        assert calls == [("by=node", "a, b", "c")]
        wrong = send(port, "/metrics?by=x")
        assert (wrong.status, body(wrong)["title"]) == (400, "by must be node")
        assert send(port, "/metrics?fail").status == 500
        assert send(port, "/metrics", "POST").status == 405

    run(client)


def test_clients_that_do_not_read_large_pages_are_few_and_hinder_no_check() -> None:
    def client(health: Health, port: int, _stop: asyncio.Event) -> None:
        health.metrics = lambda *_: ("text/plain", {}, b"x" * 20_000_000)
        with ExitStack() as stack:
            for _ in range(4):
                opened = stack.enter_context(connected(port))
                opened.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert opened.recv(1) == b"H"
            busy = send(port, "/metrics")
            assert (busy.status, busy.all("Retry-After")) == (503, ["5"])
            assert send(port, "/ready").status == 200

    run(client)


def test_half_heads_and_large_heads_lock_nobody_out() -> None:
    def client(_health: Health, port: int, _stop: asyncio.Event) -> None:
        with ExitStack() as stack:
            for _ in range(200):
                stack.enter_context(connected(port)).sendall(b"GET /ready HTTP/1.1\r\nHost: a\r\n")
            assert send(port, "/ready").status == 200
        assert send(port, "/ready", "GET", ("X-Large", "x" * 2_000_000)).status == 400
        assert send(port, "/ready").status == 200

    run(client)


def test_a_long_start_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    def client(_health: Health, port: int, _stop: asyncio.Event) -> None:
        assert codes(send(port, "/ready")) == ["starting"]
        assert send(port, "/live").status == 200

    monkeypatch.setattr(health_module, "_LONG_START_SECONDS", 0.01)
    run(client, started=False)


def test_a_taken_address_is_an_error_only_if_it_was_given() -> None:
    async def bind() -> list[Event]:
        events: list[Event] = []
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = HostPort("127.0.0.1", taken.getsockname()[1])
            with pytest.raises(InvalidInput) as refused:
                Health(HealthOptions(address, required=True), asyncio.Event(), events.append)
            health = Health(HealthOptions(address), asyncio.Event(), events.append)
            async with health.serving():
                health.set_started()
        assert [one.code for one in refused.value.diagnostics] == ["health-address-taken"]
        return events

    [event] = asyncio.run(bind())
    assert isinstance(event, HealthUnavailable)
    assert [(one.code, one.severity) for one in event.diagnostics] == [("health-address-taken", "warning")]


def test_no_address_no_checks() -> None:
    async def serve() -> None:
        health = Health(None, asyncio.Event(), lambda _: None)
        async with health.serving():
            health.set_started()

    asyncio.run(serve())
