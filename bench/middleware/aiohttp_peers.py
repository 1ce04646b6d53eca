"""aiohttp-cors: the hook that dresses responses, and the handler of preflights, as aiohttp calls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import aiohttp_cors
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from bench.middleware.cases import EXPOSED, HEADERS, MAX_AGE, METHODS, Origins, Request
from bench.middleware.measure import Call, run


async def view(_request: web.Request) -> web.Response:
    """Answers with two bytes."""
    return web.Response(body=b"ok")


APPLICATION: Final = view.__code__
"""What runs if the application is reached: never, since only the peer's own parts are called."""


def plain(_origins: Origins) -> Callable[[Request], Call]:
    """Nothing: the peer is called beside the application, not around it."""
    return lambda _request: lambda: None


def aiohttp(origins: Origins) -> Callable[[Request], Call]:
    """aiohttp-cors; it knows neither wildcards nor regular expressions."""
    if not origins.exact:
        raise NotImplementedError
    library: Any = aiohttp_cors
    options = library.ResourceOptions(
        allow_credentials=True, expose_headers=EXPOSED, allow_headers=HEADERS, max_age=MAX_AGE
    )
    app = web.Application()
    cors = library.setup(app, defaults=dict.fromkeys(origins.exact, options))
    resource = cors.add(app.router.add_resource("/"))
    for method in METHODS:
        cors.add(resource.add_route(method, view))
    hook = cors._cors_impl._on_response_prepare  # noqa: SLF001
    handler = cors._cors_impl._preflight_handler  # noqa: SLF001

    def prepare(request: Request) -> Call:
        made = make_mocked_request(request.method, "/", headers=list(request.lines), app=app)
        run(_resolve(app, made))
        if request.method == "OPTIONS":

            async def answer() -> None:
                try:
                    await handler(made)
                except web.HTTPForbidden:
                    return

            return lambda: run(answer())
        return lambda: run(hook(made, web.Response(body=b"ok")))

    return prepare


async def _resolve(app: web.Application, request: web.Request) -> None:
    request._match_info = await app.router.resolve(request)  # noqa: SLF001
