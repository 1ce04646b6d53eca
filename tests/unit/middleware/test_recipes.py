"""Every recipe of the how-to page is a program that does what the page says."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from tests.asgi_wsgi import call, environ_of, scope_of

from crossgate.middleware import CorsMiddleware

PAGE: Final = Path(__file__).parents[3] / "docs" / "how-to" / "middleware.md"
RECIPES: Final = dict(re.findall(r"```python\n# (\w+)\.py\n(.*?)```", PAGE.read_text(), re.DOTALL))
SHOP: Final = "https://shop.example.com"

pytestmark = [
    # Warnings of the frameworks about themselves.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]

Answer = tuple[int, dict[str, str]]


class Recipe:
    """A recipe that runs, called as its server would call it."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def get(self, path: str, origin: str) -> Answer:
        return self._ask("GET", path, (("Host", "api.test"), ("Origin", origin)))

    def preflight(self, method: str) -> Answer:
        preflight = (("Origin", SHOP), ("Access-Control-Request-Method", method))
        return self._ask("OPTIONS", "/pets", (("Host", "api.test"), *preflight))

    def _ask(self, method: str, path: str, headers: tuple[tuple[str, str], ...]) -> Answer:
        if isinstance(self._app, CorsMiddleware) or hasattr(self._app, "asgi_app"):
            more: dict[str, Any] = {
                "raw_path": path.encode(),
                "query_string": b"",
                "root_path": "",
                "scheme": "http",
            }
            more |= {"http_version": "1.1", "server": ("api.test", 80), "client": ("127.0.0.1", 1)}
            more |= {"asgi": {"version": "3.0"}, "extensions": {}, "app": None}
            called = call(self._app, scope_of(method, headers, **{**more, "path": path}))
            return called.status, {name.lower(): value for name, value in called.headers}
        environ = {
            **environ_of(method, headers),
            "PATH_INFO": path,
            "SERVER_NAME": "api.test",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
        }
        started: list[Any] = []
        body = self._app(environ, lambda *given: started.append(given))
        b"".join(body)
        if hasattr(body, "close"):
            body.close()
        return int(started[-1][0][:3]), {name.lower(): value for name, value in started[-1][1]}


@pytest.fixture(params=sorted(RECIPES))
def recipe(request: pytest.FixtureRequest) -> Iterator[Recipe]:
    module = ModuleType(request.param)
    module.__file__ = str(PAGE)
    sys.modules[request.param] = module
    try:
        exec(compile(RECIPES[request.param], str(PAGE), "exec"), module.__dict__)  # noqa: S102
        yield Recipe(module.app)
    finally:
        del sys.modules[request.param]


def test_every_framework_has_a_recipe() -> None:
    frameworks = {"fastapi", "starlette", "litestar", "quart", "flask", "django"}
    assert {name.removesuffix("_app") for name in RECIPES} == frameworks


def test_it_does_what_the_page_says(recipe: Recipe) -> None:
    status, headers = recipe.get("/pets", SHOP)
    assert (status, headers["access-control-allow-origin"]) == (200, SHOP)
    assert recipe.get("/pets", "https://evil.example.org")[0] == 403
    status, headers = recipe.preflight("PUT")
    assert (status, headers["access-control-allow-methods"]) == (200, "GET, PUT")
    assert recipe.preflight("DELETE")[0] == 405
    for path, expected in (("/nowhere", 404), ("/broken", 500)):
        status, headers = recipe.get(path, SHOP)
        assert (status, headers["access-control-allow-origin"]) == (expected, SHOP)
        assert "origin" in headers["vary"].lower()
