"""Refusals are logged once each, at WARNING, and a flood of them is not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.asgi_wsgi import asgi_native, call, environ_of, scope_of, serve, wsgi_native
from tests.visible_result import NativeResponse

from crossgate.middleware import CorsMiddleware, LivePolicy, WsgiCorsMiddleware, build_policy
from crossgate.middleware.refusal_log import BURST, SECONDS, RefusalLogger
from crossgate.policy import Request

SHOP = "https://shop.example"
EVIL = "https://evil.example"
ORIGIN_REFUSED = "403 Specified Origin is not allowed (origin-refused)"
POLICY = build_policy(allowed_origins=[SHOP], allowed_methods=["GET"])
Headers = list[tuple[str, str]]
Ask = Callable[[str, str, Headers], int]


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG, "crossgate.middleware"):
        yield


@pytest.fixture(params=["asgi", "wsgi"])
def ask(request: pytest.FixtureRequest) -> Ask:
    asgi = CorsMiddleware(asgi_native(NativeResponse()), POLICY)
    wsgi = WsgiCorsMiddleware(wsgi_native(NativeResponse()), POLICY)

    def ask_asgi(method: str, path: str, headers: Headers) -> int:
        return call(asgi, scope_of(method, headers, path=path)).status

    def ask_wsgi(method: str, path: str, headers: Headers) -> int:
        return serve(wsgi, {**environ_of(method, tuple(headers)), "PATH_INFO": path})[0]

    return ask_asgi if request.param == "asgi" else ask_wsgi


def test_a_refusal_is_logged_with_all_that_is_needed_to_allow_it(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    assert ask("GET", "/pets", [("Origin", EVIL)]) == 403
    preflight = [("Origin", SHOP), ("Access-Control-Request-Method", "PUT")]
    assert ask("OPTIONS", "/pets/7", [*preflight, ("Access-Control-Request-Headers", "x-a")]) == 405
    assert ask("TRACE", "/", []) == 405
    requested = f"origin '{SHOP}', requested method 'PUT', requested headers 'x-a'"
    assert caplog.messages == [
        f"refused: method 'GET', path '/pets', origin '{EVIL}': {ORIGIN_REFUSED}",
        f"refused: method 'OPTIONS', path '/pets/7', {requested}: 405 Method Not Allowed (method-refused)",
        "refused: method 'TRACE', path '/': 405 Method Not Allowed (method-forbidden)",
    ]
    assert {(record.name, record.levelname) for record in caplog.records} == {
        ("crossgate.middleware", "WARNING")
    }


def test_what_is_allowed_is_not_logged(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    assert ask("GET", "/pets", [("Origin", SHOP)]) == 200
    assert ask("GET", "/pets", []) == 200
    assert ask("OPTIONS", "/pets", [("Origin", SHOP), ("Access-Control-Request-Method", "GET")]) == 200
    assert caplog.messages == []


def test_hostile_values_are_escaped_and_shortened(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    ask(
        "GET" + "T" * 5000,
        "/\n\x1b[2J\u202e" + "a" * 5000,
        [("Origin", "https://evil\r\nfake\xff" + "b" * 5000)],
    )
    (message,) = caplog.messages
    assert message.isascii()
    assert message.isprintable()
    assert len(message) < 900
    assert r"\n\x1b[2J\u202e" in message


def test_a_flood_is_logged_a_few_times(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(200):
        ask("GET", f"/{number}", [("Origin", f"https://{number}.example")])
    assert len(caplog.messages) == BURST
    ask("TRACE", "/", [])  # Another reason has lines of its own.
    assert len(caplog.messages) == BURST + 1


def test_the_number_that_was_left_out_is_in_the_next_line(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    log = RefusalLogger(now=lambda: now)

    def refuse() -> None:
        log.log("403 (origin-refused)", lambda: (Request("GET", EVIL), "/"))

    for _ in range(BURST + 1234):
        refuse()
    assert len(caplog.messages) == BURST
    now += SECONDS
    for _ in range(3):
        refuse()
    assert len(caplog.messages) == BURST + 1
    assert caplog.messages[-1].endswith("; 1,234 more with this reason were not logged")
    now += SECONDS * BURST * 10
    refuse()
    assert caplog.messages[-1].endswith("; 2 more with this reason were not logged")


def test_a_changed_policy_does_not_begin_to_count_again(caplog: pytest.LogCaptureFixture) -> None:
    live = LivePolicy(POLICY)
    app = CorsMiddleware(asgi_native(NativeResponse()), live)
    for number in range(BURST * 4):
        live.policy = build_policy(allowed_origins=[SHOP], max_age=number)
        assert call(app, scope_of("GET", [("Origin", EVIL)])).status == 403
    assert len(caplog.messages) == BURST


def test_nothing_is_read_for_lines_that_nobody_gets(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "crossgate.middleware")

    def fail() -> Any:
        pytest.fail("the request was read")

    RefusalLogger().log("403", fail)


def test_a_refused_handshake_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    app = CorsMiddleware(asgi_native(NativeResponse()), POLICY)
    scope = scope_of("GET", [("Origin", EVIL)], path="/live", type="websocket")
    del scope["method"]
    call(app, scope)
    assert [message.partition(": 403")[0] for message in caplog.messages] == [
        f"refused: method 'GET', path '/live', origin '{EVIL}'"
    ]
