"""The middleware for Django, with the test client and its handlers; its settings and their checks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests import django_site, django_urls
from tests.asgi_wsgi import REACHED, call_in_loop, environ_of, scope_of, serve
from tests.case_table import load_cases
from tests.visible_result import HeaderLines, VisibleResult, visible_result

django_site.set_up()

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest
from django.test import AsyncClient, Client, override_settings

from crossgate.middleware import DecisionEvent, LivePolicy, WsgiCorsMiddleware, build_policy
from crossgate.middleware.django.checks import check_settings

SHOP = django_site.SHOP
EVIL = "https://evil.example.org"
PATH = django_site.MIDDLEWARE_PATH
FROM_SHOP = {"Origin": SHOP}

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"),
]


@pytest.fixture
def live() -> Iterator[LivePolicy]:
    """The policy of a project without other middlewares and logs."""
    live = LivePolicy(None)
    logging.disable()
    with override_settings(CROSSGATE_CORS_POLICY=live, MIDDLEWARE=[PATH]):
        yield live
    logging.disable(logging.NOTSET)


def test_every_case_with_wsgi(live: LivePolicy) -> None:
    differing: dict[str, list[str]] = {}
    handler = WSGIHandler()
    for case in load_cases("wsgi"):
        live.policy, django_urls.native = case.prepared(), case.native
        environ = environ_of(case.request.method, case.request.headers)
        answer = serve(handler, {**environ, **ENVIRON, "PATH_INFO": "/case"})
        differing[case.id] = case.expect.differences(_result(*answer, case.request.method))
    assert {case: found for case, found in differing.items() if found} == {}
    assert len(differing) > 450


def test_every_case_with_asgi(live: LivePolicy) -> None:
    differing: dict[str, list[str]] = {}
    handler = ASGIHandler()

    async def serve_all() -> None:
        for case in load_cases("wsgi"):  # Django joins header lines as WSGI servers do
            live.policy, django_urls.native = case.prepared(), case.native
            scope = scope_of(case.request.method, case.request.headers, path="/async_case", query_string=b"")
            called = await call_in_loop(handler, scope)
            seen = _result(called.status, tuple(called.headers), called.body, case.request.method)
            differing[case.id] = case.expect.differences(seen)

    asyncio.run(serve_all())
    assert {case: found for case, found in differing.items() if found} == {}
    assert len(differing) > 450


ENVIRON = {"SERVER_NAME": "testserver", "SERVER_PORT": "80", "wsgi.url_scheme": "http"}


def _result(status: int, lines: HeaderLines, body: bytes, method: str) -> VisibleResult:
    reached = (REACHED, "yes") in lines
    text = None if reached or method == "HEAD" else body.decode("latin-1")
    return visible_result(reaches_native=reached, status=status, headers=lines, body=text)


Ask = Callable[..., Any]


@pytest.fixture(params=["client", "asynchronous client"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Ask the project, with its present settings."""

    def ask_async(method: str, path: str, headers: dict[str, str]) -> Any:
        client = AsyncClient(raise_request_exception=False)
        return asyncio.run(client.generic(method, path, headers=headers))

    def ask_sync(method: str, path: str, headers: dict[str, str]) -> Any:
        return Client(raise_request_exception=False).generic(method, path, headers=headers)

    return ask_sync if request.param == "client" else ask_async


@pytest.fixture(autouse=True)
def nothing_reached() -> Iterator[None]:
    django_urls.reached.clear()
    yield


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/pets", 200),
        ("/async_pets", 200),
        ("/broken", 500),
        ("/async_broken", 500),
        ("/denied", 403),
        ("/nowhere", 404),
        ("/slash", 301),
        ("/streamed", 200),
        ("/async_streamed", 200),
        ("/file", 200),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_every_response_has_the_headers(ask: Ask, path: str, status: int, debug: bool) -> None:
    with override_settings(DEBUG=debug):
        response = ask("GET", path, FROM_SHOP)
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (status, SHOP)
    assert response.headers["Access-Control-Expose-Headers"] == "X-Total"
    assert "Origin" in response.headers["Vary"]
    if path.endswith("pets"):
        assert response.headers["Vary"] == "Accept, Origin"


def test_a_post_without_a_token_is_refused_with_the_headers() -> None:
    response = Client(enforce_csrf_checks=True).post("/pets", headers=FROM_SHOP)
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (403, SHOP)


@pytest.mark.parametrize("path", ["/pets", "/async_pets", "/broken", "/nowhere", "/slash"])
def test_a_refused_request_reaches_nothing(ask: Ask, path: str) -> None:
    response = ask("GET", path, {"Origin": EVIL})
    assert (response.status_code, response.content) == (403, b"Specified Origin is not allowed")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    preflight = ask("OPTIONS", path, {**FROM_SHOP, "Access-Control-Request-Method": "PUT"})
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Methods"]) == (200, "GET, PUT")
    assert django_urls.reached == []


def test_a_bad_host_is_answered_with_the_headers(ask: Ask) -> None:
    response = ask("GET", "/pets", {**FROM_SHOP, "Host": "other.example"})
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (400, SHOP)


def test_the_test_client_raises_the_exception_of_a_view() -> None:
    with pytest.raises(LookupError):
        Client().get("/broken", headers=FROM_SHOP)


def test_a_live_policy_in_the_settings_can_be_replaced(ask: Ask) -> None:
    live = LivePolicy(build_policy())
    with override_settings(CROSSGATE_CORS_POLICY=live):
        assert ask("GET", "/pets", FROM_SHOP).status_code == 403
        live.policy = build_policy(allowed_origins=[SHOP])
        assert ask("GET", "/pets", FROM_SHOP).status_code == 200


def choose(request: HttpRequest) -> Any:
    return {"/pets": build_policy(allowed_origins=[EVIL]), "/file": None}[request.path]


async def choose_async(request: HttpRequest) -> Any:
    return choose(request)


@pytest.mark.parametrize("function", [choose, choose_async, f"{__name__}.choose"])
def test_a_function_chooses_the_policy(ask: Ask, function: Any) -> None:
    with override_settings(CROSSGATE_CORS_POLICY=function):
        assert ask("GET", "/pets", {"Origin": EVIL}).status_code == 200
        assert ask("GET", "/pets", FROM_SHOP).status_code == 403
        assert "Access-Control-Allow-Origin" not in ask("GET", "/file", FROM_SHOP).headers
        django_urls.reached.clear()
        for path in ("/async_pets", "/nowhere"):  # it raises a KeyError
            assert ask("GET", path, FROM_SHOP).status_code == 500
        assert django_urls.reached == []


def test_refusals_are_logged_and_decisions_reported(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    events: list[DecisionEvent] = []
    with caplog.at_level(logging.WARNING):
        ask("GET", "/pets", {"Origin": EVIL})
        with override_settings(CROSSGATE_CORS_ON_DECISION=events.append, CROSSGATE_CORS_DEBUG=True):
            assert b"origin-refused" in ask("GET", "/pets", {"Origin": EVIL}).content
    # Once each: Django does not log them too.
    assert [message.partition(": 403")[0] for message in caplog.messages] == [
        f"refused: method 'GET', path '/pets', origin '{EVIL}'"
    ] * 2
    assert [(event.path, event.refused) for event in events] == [("/pets", True)]


def test_a_wrapper_is_bypassed_by_the_test_client_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with override_settings(MIDDLEWARE=[]), caplog.at_level(logging.WARNING):
        wrapped = WsgiCorsMiddleware(get_wsgi_application(), build_policy())
        environ = {**environ_of("GET", (("Origin", EVIL),)), **ENVIRON, "PATH_INFO": "/pets"}
        assert serve(wrapped, environ)[0] == 403
        assert Client().get("/pets", headers={"Origin": EVIL}).status_code == 200
    (warning, _refused) = caplog.messages
    assert "`manage.py runserver`" in warning
    assert warning.endswith(f'Write MIDDLEWARE = ["{PATH}", ...]')


REMEDY = "Write CROSSGATE_CORS_POLICY = build_policy(allowed_origins=[...]) in the settings"


@pytest.mark.parametrize(
    "wrong", [{"allowed_origins": [SHOP]}, [SHOP], "tests.no_such.policy", "tests.django_site.SHOP"]
)
def test_a_wrong_policy_is_refused_at_the_start_and_found_by_the_check(wrong: object) -> None:
    with override_settings(CROSSGATE_CORS_POLICY=wrong):
        with pytest.raises(ImproperlyConfigured, match=r"^CROSSGATE_CORS_POLICY: "):
            WSGIHandler()
        with pytest.raises(ImproperlyConfigured):
            get_asgi_application()
        (found,) = check_settings()
    assert (found.id, found.hint) == ("crossgate.E001", REMEDY)


def test_a_missing_policy_is_refused_at_the_start_and_found_by_the_check() -> None:
    with override_settings():
        del settings.CROSSGATE_CORS_POLICY
        with pytest.raises(ImproperlyConfigured, match=r"CROSSGATE_CORS_POLICY not found\."):
            WSGIHandler()
        (found,) = check_settings()
    assert (found.id, found.msg) == ("crossgate.E001", "CROSSGATE_CORS_POLICY not found")


COMMON = "django.middleware.common.CommonMiddleware"
CORSHEADERS = "corsheaders.middleware.CorsMiddleware"


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, []),
        ({"CROSSGATE_CORS_POLICY": None}, ["crossgate.W001"]),
        ({"CROSSGATE_CORS_POLICY": choose}, []),
        ({"MIDDLEWARE": [PATH]}, []),
        ({"MIDDLEWARE": [COMMON]}, ["crossgate.E002"]),
        ({"MIDDLEWARE": []}, ["crossgate.E002"]),
        ({"MIDDLEWARE": [COMMON, PATH]}, ["crossgate.W002"]),
        ({"MIDDLEWARE": [PATH, CORSHEADERS]}, ["crossgate.E003"]),
        ({"MIDDLEWARE": [CORSHEADERS, PATH]}, ["crossgate.W002", "crossgate.E003"]),
    ],
)
def test_the_check_finds_mistakes(changed: dict[str, Any], found: list[str]) -> None:
    with override_settings(**changed):
        messages = check_settings()
    assert [message.id for message in messages] == found
    assert all(message.hint for message in messages)
