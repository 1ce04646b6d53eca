"""The ASGI middlewares, each around the same application: Crossgate's, Starlette's, Litestar's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from bench.middleware.cases import EXPOSED, HEADERS, MAX_AGE, METHODS, Origins, Request
from bench.middleware.measure import Call, run
from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.middleware._internal.cors import CORSMiddleware as LitestarMiddleware
from starlette.middleware.cors import CORSMiddleware as StarletteMiddleware

from crossgate.middleware import CorsMiddleware, build_policy
from crossgate.policy import OriginArgument

_LITESTAR: Final = Litestar([])


async def application(_scope: Any, _receive: Any, send: Any) -> None:
    """Answers with two headers and two bytes."""
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


APPLICATION: Final = application.__code__
"""What runs if the application is reached."""


def plain(_origins: Origins) -> Callable[[Request], Call]:
    """The application alone."""
    return _calls(application)


def crossgate(origins: Origins) -> Callable[[Request], Call]:
    """Crossgate's."""
    return _calls(CorsMiddleware(application, crossgate_policy(origins)))


def crossgate_policy(origins: Origins) -> Any:
    """What all are configured with."""
    patterns: list[OriginArgument] = [*origins.exact]
    if origins.wildcard:
        patterns.append(origins.wildcard)
    elif origins.regex:
        patterns.append({"regex": origins.regex})
    return build_policy(
        allowed_origins=patterns,
        allowed_methods=METHODS,
        allow_headers=HEADERS,
        expose_headers=EXPOSED,
        allow_credentials=True,
        max_age=MAX_AGE,
    )


def starlette(origins: Origins) -> Callable[[Request], Call]:
    """Starlette's, which FastAPI has too."""
    middleware = StarletteMiddleware(
        application,
        allow_origins=origins.exact,
        allow_origin_regex=origins.regex,
        allow_methods=METHODS,
        allow_headers=HEADERS,
        allow_credentials=True,
        expose_headers=EXPOSED,
        max_age=MAX_AGE,
    )
    return _calls(middleware)


def litestar(origins: Origins) -> Callable[[Request], Call]:
    """Litestar's, without the rest of Litestar."""
    config = CORSConfig(
        allow_origins=list(origins.exact),
        allow_origin_regex=origins.regex,
        allow_methods=list(METHODS),
        allow_headers=list(HEADERS),
        allow_credentials=True,
        expose_headers=list(EXPOSED),
        max_age=MAX_AGE,
    )
    return _calls(LitestarMiddleware(application, config))


def _calls(app: Any) -> Callable[[Request], Call]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: object) -> None:
        return None

    def prepare(request: Request) -> Call:
        scope = {
            "type": "http",
            "method": request.method,
            "path": "/",
            "query_string": b"",
            "litestar_app": _LITESTAR,
            "headers": [(name.lower().encode(), value.encode()) for name, value in request.lines],
        }
        return lambda: run(app(scope.copy(), receive, send))

    return prepare
