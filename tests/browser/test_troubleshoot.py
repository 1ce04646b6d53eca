"""The page about error messages of browsers: Chromium prints each message for the reason that it gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.natives.service import Service
from playwright.sync_api import Page
from tests.browser.conftest import EMPTY_PAGE
from tests.command import ROOT, crossgate, running_gateway
from tests.executable_docs import Command, File, steps
from tests.native_services import ScriptedNative
from tests.ports import free_ports
from tests.raw_http import RawRequest, http1

pytestmark = [pytest.mark.browser, pytest.mark.live]

PAGE = ROOT / "docs" / "how-to" / "troubleshoot.md"
_SECTION = re.compile(r"^## Messages of the console$(.*?)^## ", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
_STATUS = re.compile(r"^\| ([0-9]{3}) \| `([^`]+)` \|", re.MULTILINE)
MISSING = "No 'Access-Control-Allow-Origin' header is present on the requested resource."


def _framed(script: str) -> str:
    """The script in a sandboxed frame, whose origin is opaque."""
    return (
        "const frame = document.createElement('iframe'); frame.sandbox = 'allow-scripts';"
        f"frame.srcdoc = `<script>{script}</` + 'script>'; document.body.append(frame)"
    )


def _socket(url: str) -> str:
    return f"new WebSocket('{url}'.replace('http', 'ws'))"


REDIRECT = "/status/302?header=Location:/gateway/foreign/1/x"
TWICE = "/x?cors&header=Access-Control-Allow-Origin:*"

SCRIPTS: dict[str, list[str]] = {
    MISSING: ["fetch('{api}/foreign/1/x')", "fetch('{api}/nowhere/1/x')"],
    f"Response to preflight request doesn't pass access control check: {MISSING}": [
        "fetch('{api}/foreign/1/x', {method: 'PUT'})",
        "fetch('{api}/listed/1/x', {method: 'PUT'})",
        "fetch('{api}/listed/1/x', {headers: {'x-other': '1'}})",
    ],
    "The value of the 'Access-Control-Allow-Credentials' header in the response is '' which must be 'true' "
    "when the request's credentials mode is 'include'.": [
        "fetch('{api}/listed/1/x', {credentials: 'include'})"
    ],
    "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when "
    "the request's credentials mode is 'include'.": ["fetch('{api}/anybody/1/x', {credentials: 'include'})"],
    "The 'Access-Control-Allow-Origin' header contains multiple values": [
        f"fetch('{{api}}/passed/1{TWICE}')"
    ],
    "from origin 'null'": [_framed("fetch('{api}/listed/1/x')")],
    "(redirected from": [f"fetch('{{api}}/listed/1{REDIRECT}')"],
    "Error during WebSocket handshake: Unexpected response code: 403": [_socket("{api}/foreign/1/x")],
    "Failed to load resource: net::ERR_FAILED": ["fetch('{api}/foreign/1/x')"],
}
"""Each message of the page, with scripts that make Chromium print it."""


PREFLIGHT = (("Origin", "{origin}"), ("Access-Control-Request-Method", "GET"))
REFUSALS: list[tuple[str, str, tuple[tuple[str, str], ...]]] = [
    ("GET", "foreign/1/x", (("Origin", "{origin}"),)),
    ("OPTIONS", "listed/1/x", (*PREFLIGHT, ("Access-Control-Request-Headers", "x-other"))),
    ("OPTIONS", "listed/1/x", (PREFLIGHT[0], ("Access-Control-Request-Method", "PUT"))),
    ("OPTIONS", "listed/1/x", ()),
    ("GET", "listed/1/..%3Bx", ()),
    ("GET", "listed/1/x", (("Host", "user@gateway.test"),)),
    ("GET", "listed/1/x", (("api_key", "1"),)),
    ("GET", "nowhere/1/x", ()),
]
"""Requests that get the answers with a body in the page's first table, in its order."""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with Service("page", lambda _: EMPTY_PAGE) as served:
        yield f"http://localhost:{served.port}"


@pytest.fixture(scope="module")
def apis(tmp_path_factory: pytest.TempPathFactory, origin: str) -> Iterator[str]:
    """The URL below which a gateway serves APIs with these policies."""
    policies = {
        "listed": f'cors: {{allowed_origins: ["{origin}"], allowed_methods: [GET]}}',
        "foreign": 'cors: {allowed_origins: ["https://other.example"], allowed_methods: [GET]}',
        "anybody": 'cors: {allowed_origins: ["*"], allowed_methods: [GET]}',
        "passed": "",
    }
    [port] = free_ports(1)
    with ScriptedNative() as native:
        native_url = f"http://127.0.0.1:{native.port}"
        entries = [
            f'  - {{name: {name}, version: "1", type: rest, native: "{native_url}", {policy}}}'
            for name, policy in policies.items()
        ]
        file = tmp_path_factory.mktemp("troubleshoot") / "gateway.yaml"
        lines = ["gateway:", f'  listen: "127.0.0.1:{port}"', "apis:", *entries]
        file.write_text("\n".join(lines), encoding="utf-8")
        with running_gateway(file):
            yield f"http://127.0.0.1:{port}/gateway"


def test_every_message_of_the_page_is_tested() -> None:
    [section] = _SECTION.findall(PAGE.read_text(encoding="utf-8"))
    assert _ROW.findall(section) == list(SCRIPTS)


@pytest.mark.parametrize(
    ("message", "script"), [(message, script) for message, scripts in SCRIPTS.items() for script in scripts]
)
def test_chromium_prints_the_message(page: Page, apis: str, origin: str, message: str, script: str) -> None:
    page.goto(origin)
    with page.expect_console_message(lambda printed: message in printed.text, timeout=30_000):
        page.evaluate("script => { eval(script) }", script.replace("{api}", apis))


def test_the_gateway_answers_as_the_table_says(apis: str, origin: str) -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## Ask the gateway")[0]
    documented = [(int(status), body) for status, body in _STATUS.findall(section)]
    answered = []
    for method, path, headers in REFUSALS:
        with http1(int(apis.split(":")[2].partition("/")[0])) as connection:
            named = headers if "Host" in dict(headers) else (("Host", "gateway.test"), *headers)
            lines = tuple((name, value.format(origin=origin)) for name, value in named)
            response = connection.send(RawRequest(method, f"/gateway/{path}", lines))
            answered.append((response.status, response.text))
    assert answered == documented


def test_commands_of_the_page(tmp_path: Path) -> None:
    ran = 0
    for step in steps(PAGE):
        match step:
            case File(content):
                (tmp_path / "gateway.yaml").write_text(content, encoding="utf-8")
            case Command(line):
                assert step.matches(crossgate(*line.split()[1:], cwd=tmp_path).stdout)
                ran += 1
    assert ran == 2
