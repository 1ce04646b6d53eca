"""The views of the Django project of ``tests.django_site``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from tests.asgi_wsgi import BODY, REACHED
from tests.visible_result import NativeResponse

reached: list[str] = []
"""The paths of requests that reached a view."""
native: NativeResponse = NativeResponse()
"""What the view of the case table responds."""


def case(_request: HttpRequest) -> HttpResponse:
    response = HttpResponse(BODY if native.status not in (204, 304) else b"", status=native.status)
    for name, value in (*native.headers, (REACHED, "yes")):
        response.headers[name] = value
    return response


async def async_case(request: HttpRequest) -> HttpResponse:
    return case(request)


def pets(request: HttpRequest) -> HttpResponse:
    reached.append(request.path)
    return JsonResponse(["Rex"], safe=False, headers={"Access-Control-Allow-Origin": "*", "Vary": "Accept"})


async def async_pets(request: HttpRequest) -> HttpResponse:
    return pets(request)


def broken(_request: HttpRequest) -> HttpResponse:
    raise LookupError("no such pet")


async def async_broken(request: HttpRequest) -> HttpResponse:
    return broken(request)


def denied(_request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def streamed(_request: HttpRequest) -> HttpResponse:
    def parts() -> Iterator[bytes]:
        yield b"one"
        yield b"two"

    return StreamingHttpResponse(parts())


async def async_streamed(_request: HttpRequest) -> HttpResponse:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    return StreamingHttpResponse(parts())


def file(_request: HttpRequest) -> HttpResponse:
    return FileResponse(BytesIO(b"a file"), filename="a.txt")


views: list[Any] = [pets, async_pets, broken, async_broken, denied, streamed, async_streamed, file]
urlpatterns = [
    *(path(view.__name__, view) for view in views),
    path("slash/", pets),
    path("case", case),
    path("async_case", async_case),
]
