"""Requests of the gateway's own pages, and cached responses that a browser gives to scripts."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import BrowserContext
from tests.browser.test_reference_rows import TEST, TEST2, Script, pages, script, served
from tests.native_services import ScriptedNative

__all__ = ["pages", "script", "served"]
pytestmark = [pytest.mark.browser, pytest.mark.live]

IMAGE_THEN_FETCH = """async ([url, init]) => {
  await new Promise((resolve) => {
    const image = new Image();
    image.onload = image.onerror = resolve;
    image.src = url;
  });
  try {
    const response = await fetch(url, init);
    return {status: response.status};
  } catch (error) {
    return null;
  }
}"""
FORM = """(url) => {
  const form = document.createElement('form');
  form.method = 'POST';
  form.action = url;
  document.body.append(form);
  form.submit();
}"""
CACHEABLE = "/picture?header=Content-Type:image/svg%2Bxml&header=Cache-Control:max-age=600"


@pytest.mark.parametrize(
    ("origin", "api", "arrives"), [(TEST, "public", ("GET",)), (TEST2, "plain", ("GET", "GET"))]
)
def test_a_script_reads_what_an_image_put_into_the_cache(
    script: Script, origin: str, api: str, arrives: tuple[str, ...]
) -> None:
    assert script.fetch(origin, api, CACHEABLE, {}, IMAGE_THEN_FETCH) == {"status": 200}
    assert script.arrived == arrives


@pytest.mark.parametrize(("referrer", "origin"), [("origin", "the gateway's"), ("no-referrer", "null")])
@pytest.mark.parametrize("api", ["rows", "public"])
def test_a_form_of_the_gateways_own_page_reaches_its_apis(
    context: BrowserContext, served: tuple[str, ScriptedNative], api: str, referrer: str, origin: str
) -> None:
    gateway, native = served
    marker = uuid.uuid4().hex
    page = context.new_page()
    policy = f"header=Content-Type:text/html&header=Referrer-Policy:{referrer}"
    page.goto(f"{gateway}/gateway/unguarded/1/page?{policy}")
    with page.expect_navigation() as navigation:
        page.evaluate(FORM, f"{gateway}/gateway/{api}/1/pets?marker={marker}")
    assert navigation.value.status == 200
    [request] = native.log.with_marker(marker)
    sent = {name.lower(): value for name, value in request.headers}
    assert sent["sec-fetch-site"] == "same-origin"
    assert sent["origin"] == (gateway if origin == "the gateway's" else origin)


HANDSHAKE = """(url) => new Promise((resolve) => {
  const socket = new WebSocket(url.replace('http', 'ws'));
  socket.onopen = socket.onerror = resolve;
}).then(() => null)"""


@pytest.mark.parametrize(("api", "arrives"), [("rows", 0), ("unguarded", 1)])
def test_a_websocket_of_the_gateways_own_page_is_judged_by_its_origin(
    context: BrowserContext, served: tuple[str, ScriptedNative], api: str, arrives: int
) -> None:
    gateway, native = served
    marker = uuid.uuid4().hex
    page = context.new_page()
    page.goto(f"{gateway}/gateway/unguarded/1/page?header=Content-Type:text/html")
    page.evaluate(HANDSHAKE, f"{gateway}/gateway/{api}/1/pets?marker={marker}")
    requests = native.log.with_marker(marker)
    assert len(requests) == arrives
    for request in requests:
        sent = {name.lower(): value for name, value in request.headers}
        assert sent["origin"] == gateway
        assert "sec-fetch-site" not in sent
