"""What the ASGI middleware knows of Starlette and FastAPI, without importing them.

``app.add_middleware`` puts a middleware inside of the application's own ones. Responses to unhandled errors
and to bodies that are too large, and those of middlewares that were added later, come from further outside.
So the middleware moves around all of them when it is first called: the order of ``add_middleware`` does not
matter.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from typing import Any

from crossgate.middleware.asgi_types import AsgiApp, Message, Receive, Scope, Send


def application_with(middleware: object, scope: Scope) -> Any:
    """The Starlette application that has been given the middleware; None if it is used in another way."""
    application = scope.get("app")
    return application if any(layer is middleware for layer in _layers(application)) else None


async def answer_error(scope: Scope, receive: Receive, send: Send, error: Exception) -> bool:
    """Answer an exception as the application of the scope does; False if that does not answer.

    The response is that of its handler for exceptions, its debug page or a plain 500.
    """
    started = False

    def note_start(message: Message) -> Awaitable[None]:
        nonlocal started
        started = True
        return send(message)

    module = sys.modules.get("starlette.middleware.errors")
    for layer in _layers(scope.get("app")) if module is not None else ():
        if isinstance(layer, module.ServerErrorMiddleware):  # type: ignore[union-attr]  # it is not None here

            async def fail(*_: object) -> None:
                raise error

            # It raises the exception again, or that of a handler which fails before it answers.
            with suppress(Exception):
                await type(layer)(fail, layer.handler, layer.debug)(scope, receive, note_start)
    return started


def _layers(application: object) -> Iterator[Any]:
    """The middlewares of a Starlette application, from outside."""
    layer = getattr(application, "middleware_stack", None)
    while layer is not None:
        yield layer
        layer = getattr(layer, "app", None)


class Marked:
    """An application whose requests are marked as enforced, for the middleware inside of it."""

    __slots__ = ("_mark", "app")

    def __init__(self, app: AsgiApp, mark: str) -> None:
        self.app = app
        self._mark = mark

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection."""
        scope[self._mark] = True
        return self.app(scope, receive, send)
