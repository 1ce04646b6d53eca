"""A function chooses the policy of each request, and a mistake in it never leaves a request unprotected."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from tests.asgi_wsgi import asgi_native, call, environ_of, scope_of, serve, wsgi_native
from tests.visible_result import NativeResponse

from crossgate.middleware import (
    CorsMiddleware,
    EffectivePolicy,
    LivePolicy,
    ServerPolicy,
    WsgiCorsMiddleware,
    build_policy,
    policy_function,
)
from crossgate.middleware.policy_middleware import PolicyMiddleware
from crossgate.policy import ExactOrigin

A, B, EVIL = "https://a.example", "https://b.example", "https://evil.example"
TENANTS: dict[str, Any] = {
    "a.test": build_policy(allowed_origins=[A]),
    "b.test": EffectivePolicy.of(build_policy(allowed_origins=[B], expose_headers=["X-B"])),
    "live.test": LivePolicy(build_policy(allowed_origins=[A])),
    "server.test": ServerPolicy((ExactOrigin(A),)),
    "open.test": None,
}
Choose = Callable[[str], object]
Ask = Callable[[Choose, str, str], tuple[int, str | None]]


def _host(scope: Any) -> str:
    return str(dict(scope["headers"])[b"host"], "ascii")


def ask_asgi(choose: Choose, host: str, origin: str) -> tuple[int, str | None]:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        called.append(host)
        await asgi_native(NativeResponse())(scope, receive, send)

    called: list[str] = []
    function: Any = lambda scope: choose(_host(scope))  # noqa: E731
    return _call_asgi(CorsMiddleware(application, function), host, origin, called)


def ask_asgi_async(choose: Choose, host: str, origin: str) -> tuple[int, str | None]:
    async def function(scope: Any) -> Any:
        return choose(_host(scope))

    called: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        called.append(host)
        await asgi_native(NativeResponse())(scope, receive, send)

    return _call_asgi(CorsMiddleware(application, function), host, origin, called)


def _call_asgi(app: Any, host: str, origin: str, called: list[str]) -> tuple[int, str | None]:
    done = call(app, scope_of("GET", [("Origin", origin), ("Host", host)]))
    assert (done.raised is not None) == (done.status == 500)
    assert bool(called) == (done.status == 200)
    return done.status, dict(done.headers).get("access-control-allow-origin")


def ask_wsgi(choose: Choose, host: str, origin: str) -> tuple[int, str | None]:
    function: Any = lambda environ: choose(environ["HTTP_HOST"])  # noqa: E731
    app = WsgiCorsMiddleware(wsgi_native(NativeResponse()), function)
    environ = environ_of("GET", (("Origin", origin), ("Host", host)))
    started: list[Any] = []
    body = iter(app(environ, lambda *given: started.append(given)))  # type: ignore[arg-type]
    status, headers = int(started[0][0][:3]), dict(started[0][1])
    if status == 500:
        assert next(body) == b"Internal Server Error"
        with pytest.raises((TypeError, KeyError)):
            next(body)
    return status, headers.get("Access-Control-Allow-Origin")


@pytest.fixture(params=[ask_asgi, ask_asgi_async, ask_wsgi])
def ask(request: pytest.FixtureRequest) -> Ask:
    found: Ask = request.param
    return found


@pytest.mark.parametrize(
    ("host", "origin", "expected"),
    [
        ("a.test", A, (200, A)),
        ("a.test", B, (403, None)),
        ("b.test", B, (200, B)),
        ("b.test", A, (403, None)),
        ("live.test", A, (200, A)),
        ("server.test", A, (200, A)),
        ("server.test", B, (403, None)),
        ("open.test", EVIL, (200, None)),
        ("unknown.test", A, (500, None)),
    ],
)
def test_each_tenant_has_its_policy(
    ask: Ask, host: str, origin: str, expected: tuple[int, str | None]
) -> None:
    assert ask(TENANTS.__getitem__, host, origin) == expected


@pytest.mark.parametrize("wrong", ["https://a.example", {"allowed_origins": [A]}, True, [A], build_policy])
def test_what_is_no_policy_is_a_500(ask: Ask, wrong: object) -> None:
    assert ask(lambda _host: wrong, "a.test", A) == (500, None)


@pytest.mark.parametrize("wrong", ["https://a.example", {"allowed_origins": [A]}, True])
@pytest.mark.parametrize("middleware", [CorsMiddleware, WsgiCorsMiddleware])
def test_what_is_no_policy_is_refused_at_once_where_it_is_known(middleware: Any, wrong: object) -> None:
    with pytest.raises(TypeError, match=r"expected a policy, found \w+\. Write build_policy"):
        middleware(None, wrong)


def test_wsgi_refuses_coroutine_functions() -> None:
    async def choose(_environ: Any) -> Any:
        return None

    with pytest.raises(TypeError, match="WSGI calls no coroutine functions"):
        WsgiCorsMiddleware(wsgi_native(NativeResponse()), choose)  # type: ignore[arg-type]


def test_a_policy_is_prepared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the function returns the same object or builds an equal one each time."""
    prepared: list[object] = []
    monkeypatch.setattr(PolicyMiddleware, "_enforcer_of", _counting(prepared))
    for choose in (
        lambda scope: TENANTS[_host(scope)],
        lambda scope: build_policy(allowed_origins=[f"https://{_host(scope)}"]),
    ):
        app = CorsMiddleware(asgi_native(NativeResponse()), choose)
        prepared.clear()
        for _ in range(5):
            for host in ("a.test", "b.test"):
                call(app, scope_of("GET", [("Origin", A), ("Host", host)]))
        assert len(prepared) == 2


def _counting(prepared: list[object]) -> Any:
    plain = PolicyMiddleware._enforcer_of

    def enforcer_of(self: Any, policy: Any) -> Any:
        prepared.append(policy)
        return plain(self, policy)

    return enforcer_of


def test_the_cache_is_bounded_and_right_for_any_number_of_tenants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_function, "CACHE_SIZE", 8)
    cache = CorsMiddleware(asgi_native(NativeResponse()), lambda _scope: None)._chosen
    for number in [*range(20), *range(5)]:
        policy = build_policy(allowed_origins=[f"https://{number}.test"])
        assert cache.enforcer(policy).policy == EffectivePolicy.of(policy)
    assert len(cache._by_identity) == len(cache._by_value) == 8


def test_a_live_policy_that_a_function_returns_is_followed() -> None:
    live = LivePolicy(build_policy(allowed_origins=[A]))
    app = CorsMiddleware(asgi_native(NativeResponse()), lambda _scope: live)
    scope = scope_of("GET", [("Origin", B)])
    assert call(app, scope).status == 403
    live.policy = build_policy(allowed_origins=[B])
    assert call(app, scope).status == 200


def test_a_policy_that_is_chosen_by_a_function_cannot_be_replaced() -> None:
    app = CorsMiddleware(asgi_native(NativeResponse()), lambda _scope: None)
    with pytest.raises(AttributeError, match="chosen by a function"):
        app.policy = build_policy()
    with pytest.raises(AttributeError, match="chosen by a function"):
        _ = app.policy


def test_handshakes_have_the_policy_of_their_tenant() -> None:
    async def accept(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept", "headers": []})

    def ask(origin: str, host: str) -> Any:
        headers = [("Origin", origin), ("Host", host)]
        app = CorsMiddleware(accept, lambda scope: TENANTS[_host(scope)])
        return call(app, scope_of("GET", headers, type="websocket"))

    assert ask(A, "a.test").sent[0]["type"] == "websocket.accept"
    assert ask(B, "a.test").sent == [{"type": "websocket.close", "code": 1008}]
    failed = ask(A, "unknown.test")
    assert (failed.sent, type(failed.raised)) == ([], KeyError)


def test_in_starlette_a_failed_function_is_answered_by_the_application() -> None:
    def fail(_scope: Any) -> Any:
        raise LookupError("no such tenant")

    app = Starlette(exception_handlers={500: lambda _request, error: JSONResponse(str(error), 500)})
    app.add_middleware(CorsMiddleware, policy=fail)
    for _ in range(2):
        done = call(app, scope_of("GET", [("Origin", A)], query_string=b""))
        assert (done.status, done.body) == (500, b'"no such tenant"')
        assert isinstance(done.raised, LookupError)


def test_a_function_sees_the_application() -> None:
    app = Starlette()
    app.state.policy = build_policy(allowed_origins=[A])
    app.add_middleware(CorsMiddleware, policy=lambda scope: scope["app"].state.policy)
    assert call(app, scope_of("GET", [("Origin", A)], query_string=b"")).status == 404
    assert call(app, scope_of("GET", [("Origin", B)], query_string=b"")).status == 403


def test_refusals_of_one_tenant_do_not_hide_those_of_another(caplog: pytest.LogCaptureFixture) -> None:
    app = WsgiCorsMiddleware(wsgi_native(NativeResponse()), lambda environ: TENANTS[environ["HTTP_HOST"]])
    with caplog.at_level(logging.WARNING, "crossgate.middleware"):
        for _ in range(50):
            serve(app, environ_of("GET", (("Origin", EVIL), ("Host", "a.test"))))
        before = len(caplog.messages)
        serve(app, environ_of("GET", (("Origin", EVIL), ("Host", "b.test"))))
    assert len(caplog.messages) == before + 1


def test_a_flood_for_more_tenants_than_are_kept_is_not_logged_whole(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(policy_function, "CACHE_SIZE", 2)
    app = WsgiCorsMiddleware(
        wsgi_native(NativeResponse()),
        lambda environ: build_policy(allowed_origins=[f"https://{environ['HTTP_HOST']}"]),
    )
    with caplog.at_level(logging.WARNING, "crossgate.middleware"):
        for number in range(100):
            serve(app, environ_of("GET", (("Origin", EVIL), ("Host", f"{number}.test"))))
    assert len(caplog.messages) <= 12
