"""What extensions and files send in Chromium, as the page about apps and extensions says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Worker
from tests.command import running_gateway
from tests.native_services import ScriptedNative
from tests.ports import free_ports
from tests.prerequisites import chromium

pytestmark = [pytest.mark.browser, pytest.mark.live]

_DOCUMENT = """\
gateway:
  listen: 127.0.0.1:{port}
apis:
  - name: other
    version: "1"
    type: rest
    native: http://127.0.0.1:{native}
    cors: {{allowed_origins: ["https://other.example"], allowed_methods: [PUT], max_age: 600}}
"""
_FETCH = """async ([url, method]) => {
    const answer = await fetch(url, {method}).catch(() => null);
    return answer ? answer.status : 'blocked';
}"""
_OPEN = """url => new Promise(resolve => {
    const socket = new WebSocket(url.replace('http', 'ws'));
    socket.onopen = () => resolve('open');
    socket.onerror = () => resolve('refused');
})"""


@pytest.fixture(scope="module")
def native() -> Iterator[ScriptedNative]:
    with ScriptedNative() as service:
        yield service


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, native: ScriptedNative) -> Iterator[str]:
    """The URL of an API whose policy allows another origin."""
    [port] = free_ports(1)
    file = tmp_path_factory.mktemp("gateway") / "gateway.yaml"
    file.write_text(_DOCUMENT.format(port=port, native=native.port), encoding="utf-8")
    with running_gateway(file):
        yield f"http://127.0.0.1:{port}/gateway/other/1"


@pytest.fixture(params=[False, True], ids=["without permission", "with a host permission"])
def extension(
    request: pytest.FixtureRequest, browser: Browser, tmp_path: Path
) -> Iterator[tuple[Worker, bool]]:
    """The service worker of an extension, and whether it has a permission for the gateway."""
    folder = tmp_path / "extension"
    folder.mkdir()
    manifest: dict[str, object] = {
        "manifest_version": 3,
        "name": "test",
        "version": "1",
        "background": {"service_worker": "worker.js"},
    }
    if request.param:
        manifest["host_permissions"] = ["http://127.0.0.1/*"]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "worker.js").touch()
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--load-extension={folder}"]
    context = browser.browser_type.launch_persistent_context(
        tmp_path / "profile",
        executable_path=chromium(),
        headless=False,  # Playwright's own headless flag chooses a mode without extensions
        args=flags,
        ignore_default_args=["--disable-extensions"],
    )
    workers = context.service_workers or [context.wait_for_event("serviceworker")]
    yield workers[0], request.param
    context.close()


def test_requests_of_an_extension(extension: tuple[Worker, bool], api: str, native: ScriptedNative) -> None:
    worker, permitted = extension
    assert worker.url.startswith("chrome-extension://")
    before = len(native.log.seen())
    seen = [worker.evaluate(_FETCH, [f"{api}/x", method]) for method in ("GET", "POST", "PUT")]
    assert seen == ([200, 403, 403] if permitted else ["blocked"] * 3)
    assert worker.evaluate(_OPEN, f"{api}/x") == "refused"
    assert len(native.log.seen()) - before == int(permitted)


def test_a_file_has_the_origin_null(page: Page, native: ScriptedNative, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("<!doctype html><title>file</title>", encoding="utf-8")
    page.goto(file.as_uri())
    headers = page.evaluate(
        "url => fetch(url).then(answer => answer.json())",
        f"http://127.0.0.1:{native.port}/headers?header=Access-Control-Allow-Origin:*",
    )
    assert [value for name, value in headers if name.lower() == "origin"] == ["null"]
