"""WSGI: a Flask application alone, with flask-cors, and within Crossgate's middleware."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final

from bench.middleware.asgi_peers import crossgate_policy
from bench.middleware.cases import EXPOSED, HEADERS, MAX_AGE, METHODS, Origins, Request
from bench.middleware.measure import Call
from flask import Flask, Response
from flask_cors import CORS

from crossgate.middleware import WsgiCorsMiddleware

APPLICATION: Final = Flask.wsgi_app.__code__
"""What runs if the application is reached."""


def plain(_origins: Origins) -> Callable[[Request], Call]:
    """The Flask application alone."""
    return _calls(_flask())


def crossgate(origins: Origins) -> Callable[[Request], Call]:
    """Crossgate's around the Flask application."""
    return _calls(WsgiCorsMiddleware(_flask(), crossgate_policy(origins)))


def flask_cors(origins: Origins) -> Callable[[Request], Call]:
    """flask-cors."""
    app = _flask()
    CORS(
        app,
        origins=[*origins.exact, *([origins.regex] if origins.regex else [])],
        methods=list(METHODS),
        allow_headers=list(HEADERS),
        expose_headers=list(EXPOSED),
        supports_credentials=True,
        max_age=MAX_AGE,
    )
    return _calls(app)


def _flask() -> Flask:
    app = Flask(__name__)

    @app.route("/", methods=["GET", "PUT"])
    def index() -> Response:
        return Response("ok", mimetype="text/plain")

    return app


def _calls(app: Any) -> Callable[[Request], Call]:
    def start_response(_status: str, _headers: object, _exc_info: object = None) -> Callable[[bytes], object]:
        return lambda _part: None

    def prepare(request: Request) -> Call:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": "/",
            "QUERY_STRING": "",
            "SERVER_NAME": "api.example.com",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.lines}

        def call() -> None:
            body = app(environ.copy(), start_response)
            for _ in body:
                pass
            if hasattr(body, "close"):
                body.close()

        return call

    return prepare
