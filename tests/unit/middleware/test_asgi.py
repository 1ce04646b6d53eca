"""The ASGI middleware beyond the case table: what is not HTTP, errors, streams, and what is shared."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from tests.asgi_wsgi import Called, call, scope_of

from crossgate.middleware import CorsMiddleware, CorsPolicy, EffectivePolicy, ServerPolicy, build_policy
from crossgate.middleware.asgi_types import Receive, Scope, Send
from crossgate.policy import ExactOrigin

SHOP = "https://shop.example.com"
EVIL = "https://evil.example.org"
POLICY = build_policy(
    allowed_origins=[SHOP],
    allowed_methods=["GET", "PUT"],
    allow_headers=["X-Token"],
    expose_headers=["X-Out"],
    allow_credentials=True,
)
ORIGIN_HEADERS = {
    "access-control-allow-origin": SHOP,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "X-Out",
}

OBSERVED = (
    f"observed: method 'GET', path '/', origin '{EVIL}': 403 Specified Origin is not allowed (origin-refused)"
)

App = Callable[[Scope, Receive, Send], Awaitable[None]]


def answering(*headers: tuple[str, str]) -> App:
    lines = [(name.encode(), value.encode()) for name, value in headers]

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": lines})
        await send({"type": "http.response.body", "body": b"ok"})

    return app


def get(app: App, origin: str | None = SHOP, **options: Any) -> Any:
    headers = [("Origin", origin)] if origin else []
    return call(CorsMiddleware(app, POLICY, **options), scope_of("GET", headers))


@pytest.mark.parametrize("kind", ["lifespan", "anything"])
def test_other_connections_pass_unchanged(kind: str) -> None:
    _assert_passed_unchanged(CorsMiddleware, kind)


def test_websocket_handshakes_pass_unchanged_if_configured() -> None:
    _assert_passed_unchanged(partial(CorsMiddleware, websockets=False), "websocket")


def test_websocket_handshakes_pass_unchanged_without_a_policy() -> None:
    _assert_passed_unchanged(lambda app, _policy: CorsMiddleware(app, None), "websocket")


def _assert_passed_unchanged(make: Callable[[App, CorsPolicy], App], kind: str) -> None:
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend((scope, receive, send))

    scope = {"type": kind, "headers": [(b"origin", EVIL.encode())]}

    async def receive() -> dict[str, Any]:
        return {}

    async def send(_message: object) -> None:
        return None

    given: list[object] = [scope, receive, send]
    coroutine: Any = make(app, POLICY)(scope, receive, send)
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert all(one is other for one, other in zip(seen, given, strict=True))


def accepting(*headers: tuple[bytes, bytes]) -> App:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept", "headers": list(headers)})
        await send({"type": "websocket.send", "text": "hello"})

    return app


def handshake(app: App, origin: str | None, **more: object) -> Called:
    headers = [("Origin", origin)] if origin else []
    return call(app, scope_of("GET", headers, type="websocket", **more))


@pytest.mark.parametrize("origin", [EVIL, "null", f"{SHOP}/", SHOP.upper()])
def test_a_websocket_handshake_from_a_refused_origin_does_not_reach_the_application(origin: str) -> None:
    async def app(*_: object) -> None:
        pytest.fail("the application was called")

    judging = CorsMiddleware(app, POLICY)
    assert handshake(judging, origin).sent == [{"type": "websocket.close", "code": 1008}]
    start, body = handshake(judging, origin, extensions={"websocket.http.response": {}}).sent
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 403)
    assert (b"vary", b"Origin") in start["headers"]
    assert body == {"type": "websocket.http.response.body", "body": b"Specified Origin is not allowed"}


def test_the_response_to_an_accepted_handshake_has_the_headers_of_the_policy() -> None:
    own = (b"Access-Control-Allow-Origin", b"*"), (b"x-own", b"yes")
    called = handshake(CorsMiddleware(accepting(*own), POLICY), SHOP)
    assert dict(called.headers) == {**ORIGIN_HEADERS, "x-own": "yes", "vary": "Origin"}
    assert called.sent[1] == {"type": "websocket.send", "text": "hello"}
    called = handshake(CorsMiddleware(accepting(*own), POLICY), None)
    assert dict(called.headers) == {"x-own": "yes", "vary": "Origin"}


def test_a_handshake_that_the_application_refuses_has_the_headers_of_the_policy() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "websocket.http.response.start", "status": 401, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b"who are you"})

    called = handshake(CorsMiddleware(app, POLICY), SHOP, extensions={"websocket.http.response": {}})
    assert called.status == 401
    assert ORIGIN_HEADERS.items() <= dict(called.headers).items()


def test_a_handshake_is_a_get_request_under_server_level_cors() -> None:
    def policy(method: str) -> ServerPolicy:
        origins = (ExactOrigin(SHOP),)
        return ServerPolicy(origins, supported_methods=(method,))

    assert handshake(CorsMiddleware(accepting(), policy("GET")), SHOP).sent[0]["type"] == "websocket.accept"
    for refusing, origin in ((policy("POST"), SHOP), (policy("GET"), EVIL)):
        sent = handshake(CorsMiddleware(accepting(), refusing), origin).sent
        assert sent == [{"type": "websocket.close", "code": 1008}]


def test_a_handshake_in_observe_mode_passes_and_what_would_be_refused_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = CorsMiddleware(accepting(), build_policy(allowed_origins=[SHOP], mode="observe"))
    with caplog.at_level(logging.INFO, "crossgate"):
        assert handshake(app, EVIL).headers == []
    assert caplog.messages == [OBSERVED]


def test_origins_in_lines_of_different_case_are_two() -> None:
    scope = scope_of("GET", ())
    scope["headers"] = [(b"origin", SHOP.encode()), (b"Origin", SHOP.encode())]
    assert call(CorsMiddleware(answering(), POLICY), scope).status == 403


@pytest.mark.parametrize("others", [(), (("Access-Control-Max-Age", "1"),)])
def test_an_empty_header_name_of_the_application_is_passed_on(others: tuple[tuple[str, str], ...]) -> None:
    called = get(answering(("", "x"), *others, ("", "y")))
    assert called.raised is None
    assert called.all("") == ["x", "y"]
    assert called.all("Access-Control-Max-Age") == []
    assert ORIGIN_HEADERS.items() <= dict(called.headers).items()


@pytest.mark.parametrize("start", [{}, {"headers": None}], ids=["missing", "null"])
def test_a_response_without_a_list_of_headers_gets_the_policys(start: dict[str, object]) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, **start})
        await send({"type": "http.response.body", "body": b""})

    assert ORIGIN_HEADERS.items() <= dict(get(app).headers).items()


def test_an_exception_before_the_response_becomes_a_500_with_headers_and_is_raised_again() -> None:
    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise LookupError("gone")

    called = get(app)
    assert isinstance(called.raised, LookupError)
    assert (called.status, called.body) == (500, b"Internal Server Error")
    assert ORIGIN_HEADERS.items() <= dict(called.headers).items()
    assert called.all("vary") == ["Origin"]


def test_an_exception_after_the_start_is_only_raised_again() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        raise LookupError("gone")

    called = get(app)
    assert isinstance(called.raised, LookupError)
    assert [message["type"] for message in called.sent] == ["http.response.start"]
    assert ORIGIN_HEADERS.items() <= dict(called.headers).items()


def test_nobody_shares_a_list_of_headers() -> None:
    shared = [(b"content-type", b"text/plain")]
    start = {"type": "http.response.start", "status": 200, "headers": shared}

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": b""})

    middleware = CorsMiddleware(app, POLICY)
    for scope in (
        scope_of("GET", [("Origin", SHOP)]),
        scope_of("GET", [("Origin", EVIL)]),
        scope_of("OPTIONS", [("Origin", SHOP), ("Access-Control-Request-Method", "PUT")]),
    ):
        first = call(middleware, scope)
        before = list(first.headers)
        first.sent[0]["headers"].append((b"set-cookie", b"of=somebody"))
        first.sent[0]["leaked"] = True
        assert call(middleware, scope).headers == before
        assert "leaked" not in call(middleware, scope).sent[0]
    assert shared == [(b"content-type", b"text/plain")]
    assert start == {"type": "http.response.start", "status": 200, "headers": shared}


def test_headers_may_come_from_a_generator() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        lines = ((name, b"x") for name in (b"server", b"access-control-max-age", b"vary"))
        await send({"type": "http.response.start", "status": 200, "headers": lines})
        await send({"type": "http.response.body", "body": b""})

    headers = dict(get(app).headers)
    assert headers.items() >= {"server": "x", "vary": "x, Origin"}.items()
    assert "access-control-max-age" not in headers


@pytest.mark.parametrize(
    ("own", "merged"),
    [
        ([], ["Origin"]),
        (["Accept-Encoding"], ["Accept-Encoding, Origin"]),
        (["Origin"], ["Origin"]),
        (["accept, ORIGIN ,cookie"], ["accept, ORIGIN ,cookie"]),
        (["Cookie", "origin"], ["Cookie", "origin"]),
        (["Cookie", "Accept"], ["Cookie", "Accept, Origin"]),
        (["X-Origin"], ["X-Origin, Origin"]),
        ([""], ["Origin"]),
        (["*"], ["*, Origin"]),
    ],
)
def test_vary_is_merged_and_never_doubled(own: list[str], merged: list[str]) -> None:
    assert get(answering(*(("VARY", value) for value in own))).all("vary") == merged
    assert get(answering(*(("Vary", value) for value in own)), None).all("vary") == merged


def test_a_stream_is_passed_on_message_by_message() -> None:
    messages = [{"type": "http.response.body", "body": bytes([n]), "more_body": n < 3} for n in range(4)]

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "trailers": True})
        for message in messages:
            await send(message)

    called = get(app)
    assert called.sent[0]["trailers"] is True
    assert all(sent is message for sent, message in zip(called.sent[1:], messages, strict=True))


def test_a_refused_head_request_has_no_body() -> None:
    called = call(CorsMiddleware(answering(), POLICY), scope_of("HEAD", [("Origin", EVIL)]))
    assert (called.status, called.body) == (403, b"")


def test_debug_says_which_step_failed_and_repeats_nothing_of_the_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    evil = EVIL + "\n<script>"
    with caplog.at_level(logging.INFO, "crossgate"):
        called = get(answering(), evil, debug=True)
        assert called.body == (
            b"Specified Origin is not allowed\norigin-refused: Is the origin allowed? No.\n"
        )
        for _ in range(20):  # not limited: this is for development
            get(answering(), evil, debug=True)
    request = r"method 'GET', path '/', origin 'https://evil.example.org\n<script>'"
    reason = "403 Specified Origin is not allowed (origin-refused: Is the origin allowed? No.)"
    assert caplog.messages == [f"refused: {request}: {reason}"] * 21


def test_what_observe_mode_would_refuse_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    observing = EffectivePolicy.of(build_policy(allowed_origins=[SHOP], mode="observe"))
    app = CorsMiddleware(answering(("access-control-allow-origin", "*")), observing)
    with caplog.at_level(logging.INFO, "crossgate"):
        assert call(app, scope_of("GET", [("Origin", SHOP)])).all("access-control-allow-origin") == ["*"]
        assert caplog.messages == []
        assert call(app, scope_of("GET", [("Origin", EVIL)])).all("access-control-allow-origin") == ["*"]
    assert caplog.messages == [OBSERVED]
