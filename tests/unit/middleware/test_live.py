"""A policy replaced while requests are served, by hand and by a file."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.asgi_wsgi import asgi_native, call, scope_of
from tests.visible_result import NativeResponse

from crossgate.diagnostics import InvalidInput
from crossgate.middleware import (
    CorsMiddleware,
    EffectivePolicy,
    FollowedApi,
    LivePolicy,
    SameOrigin,
    ServerPolicy,
    build_policy,
    policy_of,
)
from crossgate.middleware.asgi_types import Receive, Scope, Send

SHOP = "https://shop.example.com"
OTHER = "https://other.example.com"
DOCUMENT = """\
apis:
  - name: petstore
    version: "1.0"
    type: rest
    native: http://127.0.0.1:9101/v2
    cors:
      allowed_origins: [{origin}]
  - name: open
    version: "1.0"
    type: rest
    native: http://127.0.0.1:9101/v2
applications:
  - name: storefront
    javascript_origins: [https://storefront.example.com]
    apis: [petstore/1.0]
"""


def status(app: CorsMiddleware, origin: str) -> int:
    return call(app, scope_of("GET", [("Origin", origin)])).status


def test_same_origin_requests_can_be_judged_like_others() -> None:
    request = scope_of("POST", [("Origin", "null"), ("Sec-Fetch-Site", "same-origin")])
    policy = build_policy(allowed_origins=[SHOP])
    statuses = {
        choice: call(
            CorsMiddleware(asgi_native(NativeResponse()), EffectivePolicy.of(policy, same_origin=choice)),
            request,
        ).status
        for choice in ("detect", SameOrigin.LISTED)
    }
    assert statuses == {"detect": 200, SameOrigin.LISTED: 403}


def test_a_document_says_how_its_own_pages_are_recognised(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("gateway: {same_origin: listed}\n" + DOCUMENT.replace("{origin}", SHOP))
    policy = policy_of(path, "petstore/1.0")
    assert isinstance(policy, EffectivePolicy)
    assert policy.same_origin is SameOrigin.LISTED


def test_a_new_policy_is_enforced_at_once_by_all_who_share_it() -> None:
    live = LivePolicy(build_policy(allowed_origins=[SHOP]))
    apps = [CorsMiddleware(asgi_native(NativeResponse()), live) for _ in range(2)]
    assert [status(app, SHOP) for app in apps] == [200, 200]
    apps[0].policy = build_policy(allowed_origins=[OTHER])
    assert apps[1].policy == live.policy == build_policy(allowed_origins=[OTHER])
    assert [status(app, SHOP) for app in apps] == [403, 403]
    assert [status(app, OTHER) for app in apps] == [200, 200]
    live.policy = None
    assert [status(app, SHOP) for app in apps] == [200, 200]


def test_setting_the_policy_to_what_it_is_changes_nothing() -> None:
    live = LivePolicy(build_policy(allowed_origins=[SHOP, {"regex": "https://.*"}]))
    before = live.enforced
    live.policy = live.policy
    live.policy = build_policy(allowed_origins=[SHOP, {"regex": "https://.*"}])
    assert live.enforced is before


def test_a_response_has_the_headers_of_the_policy_that_allowed_its_request() -> None:
    live = LivePolicy(build_policy(allowed_origins=[SHOP], allow_credentials=True))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        live.policy = build_policy()
        await asgi_native(NativeResponse())(scope, receive, send)

    called = call(CorsMiddleware(app, live), scope_of("GET", [("Origin", SHOP)]))
    assert called.all("access-control-allow-origin") == [SHOP]
    assert called.all("access-control-allow-credentials") == ["true"]


def test_no_request_sees_half_of_two_policies() -> None:
    """Each policy allows an origin and exposes a header of the same name."""
    policies = {
        origin: build_policy(allowed_origins=[origin], expose_headers=[name])
        for origin, name in ((SHOP, "shop"), (OTHER, "other"))
    }
    app = CorsMiddleware(asgi_native(NativeResponse()), policies[SHOP])
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            for policy in policies.values():
                app.policy = policy

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        for _ in range(300):
            for origin, name in ((SHOP, "shop"), (OTHER, "other")):
                called = call(app, scope_of("GET", [("Origin", origin)]))
                assert called.status in (200, 403)
                assert called.all("access-control-expose-headers") == ([name] if called.status == 200 else [])
    finally:
        stop.set()
        swapping.join()


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.yaml"
    path.write_text(DOCUMENT.format(origin=SHOP))
    return path


def test_the_policy_of_a_documents_api_has_all_that_bears_on_it(document: Path) -> None:
    policy = policy_of(document, "petstore/1.0")
    assert isinstance(policy, EffectivePolicy)
    assert policy.application_origins == {"https://storefront.example.com"}
    assert policy_of(document, "open/1.0") is None
    settings = (
        "settings:\n  watt.server.cors.enabled: true\n  watt.server.cors.allowedOrigins: https://a.example\n"
    )
    document.write_text(settings + DOCUMENT.format(origin=SHOP))
    assert isinstance(policy_of(document, "petstore/1.0"), ServerPolicy)


@pytest.mark.parametrize(
    ("text", "codes"),
    [(DOCUMENT.format(origin=SHOP), ["api-unknown"]), (DOCUMENT.format(origin="x"), ["origin-invalid"])],
)
def test_what_can_not_be_enforced_is_refused(document: Path, text: str, codes: list[str]) -> None:
    document.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        policy_of(document, "pets/1.0")
    assert [found.code for found in refused.value.diagnostics] == codes


@contextmanager
def following(document: Path, seconds: float) -> Iterator[tuple[FollowedApi, CorsMiddleware]]:
    with closing(FollowedApi(document, "petstore/1.0", seconds=seconds)) as live:
        yield live, CorsMiddleware(asgi_native(NativeResponse()), live)


def test_a_followed_file_replaces_the_policy_and_the_last_good_one_stays(
    document: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with following(document, seconds=3600) as (live, app):
        assert status(app, SHOP) == 200
        assert not live.refresh()
        document.write_text(DOCUMENT.format(origin=OTHER))
        assert live.refresh()
        assert (status(app, SHOP), status(app, OTHER)) == (403, 200)
        for broken in (DOCUMENT.format(origin="no origin"), "apis: ["):
            document.write_text(broken)
            assert not live.refresh()
            assert (status(app, SHOP), status(app, OTHER)) == (403, 200)
        document.unlink()
        assert not live.refresh()
        errors = [record for record in caplog.records if record.levelname == "ERROR"]
        assert len(errors) == 3
        replacement = document.with_suffix(".new")
        replacement.write_text(DOCUMENT.format(origin=SHOP))
        replacement.replace(document)
        assert live.refresh()
        assert status(app, SHOP) == 200


def test_a_file_that_the_document_names_is_followed_too(document: Path) -> None:
    origins = document.with_name("origins.txt")
    origins.write_text(SHOP)
    settings = (
        "settings:\n  watt.server.cors.enabled: true\n  watt.server.cors.allowedOrigins: file:origins.txt\n"
    )
    document.write_text(settings + DOCUMENT.format(origin=SHOP))
    with following(document, seconds=3600) as (live, app):
        assert (status(app, SHOP), status(app, OTHER)) == (200, 403)
        origins.write_text(OTHER)
        assert live.refresh()
        assert (status(app, SHOP), status(app, OTHER)) == (403, 200)
        origins.unlink()
        assert not live.refresh()
        assert status(app, OTHER) == 200
        origins.write_text(SHOP)
        assert live.refresh()
        assert status(app, SHOP) == 200


def test_a_followed_file_is_looked_at_by_itself(document: Path) -> None:
    with following(document, seconds=0.01) as (_, app):
        document.write_text(DOCUMENT.format(origin=OTHER))
        deadline = time.monotonic() + 20
        while status(app, OTHER) != 200:
            assert time.monotonic() < deadline


FORKING = """
import os, sys, time
from pathlib import Path
from crossgate.middleware import FollowedApi
path = Path(sys.argv[1])
live = FollowedApi(path, "petstore/1.0", seconds=0.01)
before = live.enforced
child = os.fork()
if child == 0:
    path.write_text(path.read_text().replace("shop", "other"))
    deadline = time.monotonic() + 20
    while live.enforced is before and time.monotonic() < deadline:
        os.sched_yield()
    os._exit(live.enforced is before)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_worker_goes_on_following(document: Path) -> None:
    """As gunicorn's do, when it loads the application before it forks."""
    path = os.pathsep.join(sys.path)
    ran = subprocess.run(
        [sys.executable, "-c", FORKING, str(document)], env={"PYTHONPATH": path}, timeout=60, check=False
    )
    assert ran.returncode == 0
