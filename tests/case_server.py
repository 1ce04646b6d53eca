"""Applications for real servers: the case number N of the case table at ``/N``.

``tests.case_server:asgi`` and ``tests.case_server:wsgi``. ``/socket`` is a WebSocket for the shop's origin
only, ``/broken`` raises an exception.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from tests.asgi_wsgi import asgi_native, wsgi_native
from tests.case_table import load_cases

from crossgate.middleware import CorsMiddleware, WsgiCorsMiddleware, build_policy

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from crossgate.middleware.asgi_types import Receive, Scope, Send

SHOP = "https://shop.example.com"
_POLICY = build_policy(allowed_origins=[SHOP])


@cache
def _asgi(number: int) -> CorsMiddleware:
    case = load_cases()[number]
    return CorsMiddleware(asgi_native(case.native), case.prepared())


@cache
def _wsgi(number: int) -> WsgiCorsMiddleware:
    case = load_cases()[number]
    return WsgiCorsMiddleware(wsgi_native(case.native), case.prepared())


async def _accept(_scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close"})


async def _raise(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise LookupError("raised on purpose")


_SOCKET = CorsMiddleware(_accept, _POLICY)
_BROKEN = CorsMiddleware(_raise, _POLICY)


async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
    """Each case by its number; lifespan is not supported."""
    if scope["type"] == "websocket":
        await _SOCKET(scope, receive, send)
    elif scope["type"] == "http":
        name = scope["path"].strip("/")
        await (_BROKEN if name == "broken" else _asgi(int(name)))(scope, receive, send)
    else:
        raise NotImplementedError(scope["type"])


def _wsgi_raise(_environ: WSGIEnvironment, _start_response: StartResponse) -> Iterable[bytes]:
    raise LookupError("raised on purpose")


_WSGI_BROKEN = WsgiCorsMiddleware(_wsgi_raise, _POLICY)


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Each case by its number."""
    name = environ["PATH_INFO"].strip("/")
    return (_WSGI_BROKEN if name == "broken" else _wsgi(int(name)))(environ, start_response)
