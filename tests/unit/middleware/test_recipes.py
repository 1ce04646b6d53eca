"""Every recipe of the how-to page is a program that does what the page says."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from litestar import Litestar
from quart import Quart
from starlette.applications import Starlette
from tests import django_site
from tests.asgi_wsgi import call, environ_of, scope_of

from crossgate.middleware import CorsMiddleware, FollowedApi

django_site.set_up()

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

PAGE: Final = Path(__file__).parents[3] / "docs" / "how-to" / "middleware.md"
BLOCKS: Final = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
NAMED: Final = {
    block.split(".py", 1)[0].removeprefix("# "): block for block in BLOCKS if block.startswith("# ")
}
RECIPES: Final = {name: block for name, block in NAMED.items() if name != "tenants_app"}
FRAMEWORKS: Final = {"fastapi", "starlette", "django", "flask", "litestar", "quart", "asgi", "wsgi"}
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

    def get(self, path: str, origin: str, host: str = "api.test") -> Answer:
        return self._ask("GET", path, (("Host", host), ("Origin", origin)))

    def preflight(self, method: str) -> Answer:
        preflight = (("Origin", SHOP), ("Access-Control-Request-Method", method))
        return self._ask("OPTIONS", "/pets", (("Host", "api.test"), *preflight))

    def _ask(self, method: str, path: str, headers: tuple[tuple[str, str], ...]) -> Answer:
        if isinstance(self._app, CorsMiddleware | Starlette | Litestar | Quart | ASGIHandler):
            more: dict[str, Any] = {
                "raw_path": path.encode(),
                "query_string": b"",
                "root_path": "",
                "scheme": "http",
            }
            more |= {"http_version": "1.1", "server": ("api.test", 80), "client": ("127.0.0.1", 1)}
            more |= {"asgi": {"version": "3.0"}, "extensions": {}, "app": None}
            app: Any = self._app
            called = call(app, scope_of(method, headers, **{**more, "path": path}))
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
        with suppress(LookupError):  # raised again for the server, after the response
            b"".join(body)
        if hasattr(body, "close"):
            body.close()
        return int(started[-1][0][:3]), {name.lower(): value for name, value in started[-1][1]}


@contextmanager
def running(name: str) -> Iterator[ModuleType]:
    """A recipe as a module."""
    module = ModuleType(name)
    module.__file__ = str(PAGE)
    sys.modules[name] = module
    try:
        exec(compile(NAMED[name], str(PAGE), "exec"), module.__dict__)  # noqa: S102
        yield module
    finally:
        del sys.modules[name]


@pytest.fixture(params=[*sorted(set(RECIPES) - {"django_settings"}), "django, WSGI", "django, ASGI"])
def recipe(request: pytest.FixtureRequest) -> Iterator[Recipe]:
    if not request.param.startswith("django"):
        with running(request.param) as module:
            yield Recipe(module.app)
        return
    with running("django_settings") as module:
        changed = {name: value for name, value in vars(module).items() if name.isupper()}
    with override_settings(**changed, ALLOWED_HOSTS=["api.test"]):
        yield Recipe(WSGIHandler() if request.param.endswith("WSGI") else ASGIHandler())


def test_every_framework_has_a_recipe() -> None:
    assert {name.partition("_")[0] for name in RECIPES} == FRAMEWORKS


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


def test_each_tenant_of_the_page_has_its_policy() -> None:
    with running("tenants_app") as module:
        app = Recipe(module.app)
        for host, allowed in (
            ("shop.api.example", True),
            ("bank.api.example", False),
            ("else.example", False),
        ):
            assert app.get("/pets", SHOP, host)[0] == (200 if allowed else 403)


def test_the_other_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the names that the recipe for FastAPI has."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(FollowedApi, "_watch", lambda _: None)
    Path("gateway.yaml").write_text(
        "apis:\n- {name: petstore, version: '1.0', type: rest, native: 'http://127.0.0.1:9101', cors: {}}\n"
    )
    others = [block for block in BLOCKS if not block.startswith("# ")]
    for block in others:
        with running("fastapi_app") as module:
            exec(compile(block, str(PAGE), "exec"), module.__dict__)  # noqa: S102
            assert Recipe(module.app).get("/pets", "https://evil.example.org")[0] == 403
    assert len(others) >= 5
