"""Django: a middleware around a view, called as Django calls it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import django
from bench.middleware.cases import EXPOSED, HEADERS, MAX_AGE, METHODS, Origins, Request
from bench.middleware.measure import Call
from corsheaders.middleware import CorsMiddleware as CorsHeadersMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings

if not settings.configured:
    settings.configure(ALLOWED_HOSTS=["*"])
    django.setup()


def view(_request: HttpRequest) -> HttpResponse:
    """Answers with two bytes."""
    return HttpResponse(b"ok", content_type="text/plain")


APPLICATION: Final = view.__code__
"""What runs if the application is reached."""


def plain(_origins: Origins) -> Callable[[Request], Call]:
    """The view alone."""

    def prepare(request: Request) -> Call:
        made = _request(request)
        return lambda: view(made)

    return prepare


def cors_headers(origins: Origins) -> Callable[[Request], Call]:
    """django-cors-headers."""
    override_settings(
        CORS_ALLOWED_ORIGINS=list(origins.exact),
        CORS_ALLOWED_ORIGIN_REGEXES=[f"^{origins.regex}$"] if origins.regex else [],
        CORS_ALLOW_METHODS=METHODS,
        CORS_ALLOW_HEADERS=HEADERS,
        CORS_EXPOSE_HEADERS=EXPOSED,
        CORS_ALLOW_CREDENTIALS=True,
        CORS_PREFLIGHT_MAX_AGE=MAX_AGE,
    ).enable()
    middleware = CorsHeadersMiddleware(view)

    def prepare(request: Request) -> Call:
        made = _request(request)
        return lambda: middleware(made)

    return prepare


def _request(request: Request) -> HttpRequest:
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.lines}
    made: HttpRequest = RequestFactory().generic(request.method, "/", **headers)
    return made
