"""``app.add_middleware(CorsMiddleware, policy=...)`` enforces the policy around all of the application.

With the lifespan the middleware moves out before the first request; without it, with the first request, which
must get the same response.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from tests.asgi_wsgi import call, scope_of

from crossgate.middleware import CorsMiddleware, build_policy

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # It asks for another version of httpx.
    from starlette.testclient import TestClient

SHOP = "https://shop.example"
EVIL = "https://evil.example"
POLICY = build_policy(allowed_origins=[SHOP], allowed_methods=["GET", "PUT"], allow_headers=["X-Token"])
FROM_SHOP = {"Origin": SHOP}
PREFLIGHT = {**FROM_SHOP, "Access-Control-Request-Method": "PUT"}

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]

App = Starlette | FastAPI


async def pets(request: Request) -> Response:
    request.app.state.reached = True
    return JSONResponse(["Rex"], headers={"Access-Control-Allow-Origin": "*", "Vary": "Accept"})


async def broken(_request: Request) -> Response:
    raise LookupError("no such pet")


async def teapot(_request: Request) -> Response:
    raise HTTPException(418)


async def upload(request: Request) -> Response:
    return JSONResponse(len(await request.body()))


async def unread(_request: Request) -> Response:
    return JSONResponse("not read")


async def streamed(_request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    return StreamingResponse(parts())


async def interrupted(_request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        raise LookupError("half")

    return StreamingResponse(parts())


async def background(_request: Request) -> Response:
    def fail() -> None:
        raise LookupError("later")

    return PlainTextResponse("done", background=BackgroundTask(fail))


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


def routes() -> list[Any]:
    endpoints = (pets, broken, teapot, streamed, interrupted, background)
    plain = [Route(f"/{endpoint.__name__}", endpoint) for endpoint in endpoints]
    posts = [Route(f"/{endpoint.__name__}", endpoint, methods=["POST"]) for endpoint in (upload, unread)]
    return [*plain, *posts, WebSocketRoute("/socket", socket)]


def make(kind: type[Any], **options: Any) -> Any:
    app = kind(routes=routes(), **options)
    app.state.reached = False
    return app


@pytest.fixture(params=[Starlette, FastAPI])
def kind(request: pytest.FixtureRequest) -> type[Any]:
    found: type[Any] = request.param
    return found


@pytest.fixture(params=["lifespan", "no lifespan"])
def client(request: pytest.FixtureRequest) -> Iterator[Callable[[App], TestClient]]:
    """A client of an application that was started, or was not: then the first request finds it as it is."""
    opened: list[TestClient] = []

    def open_client(app: App) -> TestClient:
        opened.append(TestClient(app, raise_server_exceptions=False))
        if request.param == "lifespan":
            opened[-1].__enter__()
        return opened[-1]

    yield open_client
    for one in opened:
        if request.param == "lifespan":
            one.__exit__(None, None, None)
        one.close()


Open = Callable[[App], TestClient]


def enforced(kind: type[Any], **options: Any) -> Any:
    app = make(kind, **options)
    app.add_middleware(CorsMiddleware, policy=POLICY)
    return app


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/pets", 200),
        ("GET", "/broken", 500),
        ("GET", "/teapot", 418),
        ("GET", "/nowhere", 404),
        ("PUT", "/pets", 405),
        ("GET", "/streamed", 200),
        ("GET", "/background", 200),
    ],
)
def test_every_response_has_the_headers(
    kind: type[Any], client: Open, method: str, path: str, status: int
) -> None:
    response = client(enforced(kind)).request(method, path, headers=FROM_SHOP)
    assert response.status_code == status
    assert response.headers.get_list("Access-Control-Allow-Origin") == [SHOP]
    assert "Origin" in response.headers["Vary"]


@pytest.mark.parametrize("path", ["/pets", "/broken", "/nowhere"])
def test_a_refused_request_does_not_reach_the_application(kind: type[Any], client: Open, path: str) -> None:
    app = enforced(kind)
    opened = client(app)
    response = opened.get(path, headers={"Origin": EVIL})
    assert (response.status_code, response.text) == (403, "Specified Origin is not allowed")
    assert opened.options(path, headers=PREFLIGHT).headers["Access-Control-Allow-Methods"] == "GET, PUT"
    assert not app.state.reached


def test_the_applications_own_handler_answers_exceptions(kind: type[Any], client: Open) -> None:
    app = enforced(kind)
    handled: list[str] = []

    async def handler(_request: Request, error: Exception) -> JSONResponse:
        handled.append(str(error))
        return JSONResponse({"detail": "sorry"}, 500)

    app.add_exception_handler(Exception, handler)
    opened = client(app)
    for _ in range(2):
        response = opened.get("/broken", headers=FROM_SHOP)
        assert (response.status_code, response.json()) == (500, {"detail": "sorry"})
        assert response.headers["Access-Control-Allow-Origin"] == SHOP
    assert "no such pet" in handled[-1]


def test_a_handler_of_exceptions_is_called_once(kind: type[Any]) -> None:
    app = enforced(kind)
    handled: list[Exception] = []

    def handler(_request: Request, error: Exception) -> PlainTextResponse:
        handled.append(error)
        return PlainTextResponse("sorry", 500)

    app.add_exception_handler(500, handler)
    with TestClient(app, raise_server_exceptions=False) as opened:
        assert opened.get("/broken", headers=FROM_SHOP).text == "sorry"
    assert len(handled) == 1


def test_a_handler_that_fails_leaves_a_500_with_the_headers(kind: type[Any], client: Open) -> None:
    app = enforced(kind)

    async def handler(_request: Request, _error: Exception) -> JSONResponse:
        raise ValueError("the handler too")

    app.add_exception_handler(Exception, handler)
    opened = client(app)
    for _ in range(2):
        response = opened.get("/broken", headers=FROM_SHOP)
        assert (response.status_code, response.text) == (500, "Internal Server Error")
        assert response.headers["Access-Control-Allow-Origin"] == SHOP


def test_the_debug_page_has_the_headers(kind: type[Any], client: Open) -> None:
    response = client(enforced(kind, debug=True)).get("/broken", headers={**FROM_SHOP, "Accept": "text/html"})
    assert response.status_code == 500
    assert "no such pet" in response.text
    assert response.headers["Access-Control-Allow-Origin"] == SHOP


def test_the_exception_is_raised_again_for_the_server_and_its_log(kind: type[Any]) -> None:
    opened = TestClient(enforced(kind))
    for _ in range(2):
        with pytest.raises(LookupError, match="no such pet"):
            opened.get("/broken", headers=FROM_SHOP)


@pytest.mark.parametrize("path", ["/upload", "/unread"])
def test_a_body_that_is_too_large_is_answered_with_the_headers(kind: type[Any], path: str) -> None:
    """These responses come from outside of all middlewares that were added."""
    with TestClient(enforced(kind, max_body_size=10)) as opened:
        response = opened.post(path, content=b"x" * 100, headers=FROM_SHOP)
    assert response.status_code == 413
    assert response.headers["Access-Control-Allow-Origin"] == SHOP


class _Authentication:
    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not any(name == b"authorization" for name, _ in scope["headers"]):
            scope["app"].state.reached = True
            await PlainTextResponse("who are you", 401)(scope, receive, send)
            return
        await self.app(scope, receive, send)


@pytest.mark.parametrize("outside", [True, False], ids=["added later", "added before"])
def test_the_order_of_middlewares_does_not_matter(kind: type[Any], outside: bool) -> None:
    app = make(kind)
    if not outside:
        app.add_middleware(_Authentication)
        app.add_middleware(GZipMiddleware, minimum_size=1)
    app.add_middleware(CorsMiddleware, policy=POLICY)
    if outside:
        app.add_middleware(_Authentication)
        app.add_middleware(GZipMiddleware, minimum_size=1)
    with TestClient(app) as opened:
        # A preflight never has credentials.
        assert opened.options("/pets", headers=PREFLIGHT).status_code == 200
        assert opened.get("/pets", headers={"Origin": EVIL}).status_code == 403
        assert not app.state.reached
        response = opened.get("/pets", headers=FROM_SHOP)
        assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (401, SHOP)
        response = opened.get("/pets", headers={**FROM_SHOP, "Authorization": "x", "Accept-Encoding": "gzip"})
        assert response.json() == ["Rex"]
        assert response.headers["Content-Encoding"] == "gzip"
        assert {part.strip() for part in response.headers["Vary"].split(",")} >= {
            "Accept",
            "Accept-Encoding",
            "Origin",
        }
        assert response.headers["Access-Control-Allow-Origin"] == SHOP


def test_a_function_as_middleware_and_a_partial_are_found(kind: type[Any], client: Open) -> None:
    async def add_header(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers["X-Outside"] = "yes"
        return response

    app = make(kind)
    app.add_middleware(partial(CorsMiddleware, policy=POLICY))
    app.add_middleware(BaseHTTPMiddleware, dispatch=add_header)
    response = client(app).get("/broken", headers=FROM_SHOP)
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (500, SHOP)


def test_mounted_applications_are_protected(kind: type[Any], client: Open) -> None:
    app = enforced(kind)
    inner = make(FastAPI)
    app.mount("/inner", inner)
    opened = client(app)
    for path, status in (("/inner/pets", 200), ("/inner/broken", 500), ("/inner/nowhere", 404)):
        response = opened.get(path, headers=FROM_SHOP)
        assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (status, SHOP)
    assert opened.get("/inner/pets", headers={"Origin": EVIL}).status_code == 403


def test_a_mounted_application_can_have_a_policy_of_its_own(kind: type[Any], client: Open) -> None:
    app, inner = make(kind), enforced(kind)
    app.mount("/inner", inner)
    opened = client(app)
    for path, status in (("/broken", 500), ("/pets", 200), ("/broken", 500), ("/nowhere", 404)):
        response = opened.get(f"/inner{path}", headers=FROM_SHOP)
        assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (status, SHOP)
        assert opened.get(f"/inner{path}", headers={"Origin": EVIL}).status_code == 403
    assert opened.get("/pets", headers={"Origin": EVIL}).headers["Access-Control-Allow-Origin"] == "*"


def test_a_middleware_of_a_mount_leaves_errors_with_a_status_to_the_application() -> None:
    middleware = [Middleware(CorsMiddleware, policy=POLICY)]
    app = Starlette(routes=[Mount("/inner", routes=routes(), middleware=middleware)])
    with TestClient(app, raise_server_exceptions=False) as opened:
        assert opened.get("/inner/nowhere", headers=FROM_SHOP).status_code == 404
        assert opened.get("/inner/pets", headers={"Origin": EVIL}).status_code == 403
        response = opened.get("/inner/broken", headers=FROM_SHOP)
        assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (500, SHOP)


def test_two_policies_of_one_application_both_apply(kind: type[Any], client: Open) -> None:
    app = enforced(kind)
    app.add_middleware(CorsMiddleware, policy=build_policy(allowed_origins=[SHOP, EVIL]))
    opened = client(app)
    for _ in range(2):
        response = opened.get("/broken", headers=FROM_SHOP)
        assert (response.status_code, response.headers.get_list("Access-Control-Allow-Origin")) == (
            500,
            [SHOP],
        )
        assert opened.get("/pets", headers={"Origin": EVIL}).status_code == 403
    assert not app.state.reached


def test_websockets_are_judged(kind: type[Any], client: Open) -> None:
    opened = client(enforced(kind))
    with opened.websocket_connect("/socket", headers=FROM_SHOP) as accepted:
        assert accepted.receive_text() == "hello"
    with pytest.raises(WebSocketDisconnect), opened.websocket_connect("/socket", headers={"Origin": EVIL}):
        pytest.fail("the handshake was accepted")


def test_the_lifespan_reaches_the_application(kind: type[Any]) -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        seen.append("start")
        yield
        seen.append("end")

    with TestClient(enforced(kind, lifespan=lifespan)) as opened:
        assert opened.get("/pets", headers=FROM_SHOP).status_code == 200
    assert seen == ["start", "end"]


def test_a_stream_that_breaks_has_begun_with_the_headers(kind: type[Any]) -> None:
    with TestClient(enforced(kind), raise_server_exceptions=False) as opened:
        response = opened.get("/interrupted", headers=FROM_SHOP)
    assert (response.content, response.headers["Access-Control-Allow-Origin"]) == (b"one", SHOP)


def test_after_the_start_the_framework_refuses_another_middleware(kind: type[Any]) -> None:
    app = make(kind)
    with TestClient(app), pytest.raises(RuntimeError, match="Cannot add middleware"):
        app.add_middleware(CorsMiddleware, policy=POLICY)


def test_a_request_that_was_inside_before_the_move_is_judged_too() -> None:
    """The first two requests are concurrent: one waits in another middleware while the other moves it."""
    waiting, go_on = asyncio.Event(), asyncio.Event()

    class Waiting:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["path"] == "/pets":
                waiting.set()
                await go_on.wait()
            await self.app(scope, receive, send)

    app = enforced(Starlette)
    app.add_middleware(Waiting)
    statuses: dict[str, int] = {}

    async def get(path: str) -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses[path] = message["status"]

        await app(scope_of("GET", [("Origin", EVIL)], path=path, query_string=b""), receive, send)

    async def both() -> None:
        first = asyncio.create_task(get("/pets"))
        await waiting.wait()
        await get("/nowhere")
        go_on.set()
        await first

    asyncio.run(both())
    assert statuses == {"/pets": 403, "/nowhere": 403}
    assert not app.state.reached


def test_a_scope_that_is_served_again_is_judged_again() -> None:
    """As by an application that rewrites the path and calls itself."""
    app = enforced(Starlette)
    scope = scope_of("GET", [("Origin", EVIL)], path="/pets", query_string=b"")
    assert [call(app, scope).status for _ in range(2)] == [403, 403]
    reused = dict(scope, headers=[(b"origin", SHOP.encode())])

    async def twice() -> list[int]:
        statuses: list[int] = []

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        await app(reused, receive, send)
        reused["headers"] = [(b"origin", EVIL.encode())]
        await app(reused, receive, send)
        return statuses

    assert asyncio.run(twice()) == [200, 403]
