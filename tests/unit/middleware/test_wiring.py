"""A middleware that wraps a framework's whole application says how to wire it so that nothing bypasses it."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask
from litestar import Litestar
from quart import Quart
from starlette.applications import Starlette
from tests.asgi_wsgi import asgi_native, wsgi_native
from tests.visible_result import NativeResponse

from crossgate.middleware import CorsMiddleware, WsgiCorsMiddleware, build_policy


@pytest.mark.parametrize(
    ("middleware", "app", "command", "written"),
    [
        (CorsMiddleware, FastAPI(), "fastapi run", "app.add_middleware(CorsMiddleware, policy=policy)"),
        (CorsMiddleware, Starlette(), "fastapi run", "app.add_middleware(CorsMiddleware, policy=policy)"),
        (
            CorsMiddleware,
            Litestar(),
            "litestar run",
            "app.asgi_handler = CorsMiddleware(app.asgi_handler, policy)",
        ),
        (CorsMiddleware, Quart("quart"), "quart run", "app.asgi_app = CorsMiddleware(app.asgi_app, policy)"),
        (
            WsgiCorsMiddleware,
            Flask("flask"),
            "flask run",
            "app.wsgi_app = WsgiCorsMiddleware(app.wsgi_app, policy)",
        ),
    ],
)
def test_a_wrapped_application_is_warned_of(
    middleware: Any, app: Any, command: str, written: str, caplog: pytest.LogCaptureFixture
) -> None:
    middleware(app, build_policy())
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("crossgate.middleware", "WARNING")
    assert f"`{command}`" in caplog.messages[0]
    assert caplog.messages[0].endswith(f"Write {written}")


def test_what_is_wired_inside_is_not_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    policy = build_policy()
    flask, quart, litestar, starlette = Flask("flask"), Quart("quart"), Litestar(), Starlette()
    flask.wsgi_app = WsgiCorsMiddleware(flask.wsgi_app, policy)  # type: ignore[method-assign]
    quart.asgi_app = CorsMiddleware(quart.asgi_app, policy)  # type: ignore[assignment, method-assign, arg-type]
    litestar.asgi_handler = CorsMiddleware(litestar.asgi_handler, policy)  # type: ignore[assignment, arg-type]
    starlette.add_middleware(CorsMiddleware, policy=policy)
    starlette.build_middleware_stack()
    CorsMiddleware(asgi_native(NativeResponse()), policy)
    WsgiCorsMiddleware(wsgi_native(NativeResponse()), policy)
    assert caplog.messages == []
