"""What JavaScript can read, row by row of the reference page, from the very origins its tables name."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page
from tests.command import running_gateway
from tests.native_services import ScriptedNative
from tests.ports import free_ports, refusing_port

pytestmark = [pytest.mark.browser, pytest.mark.live]

TEST = "http://test.com"
TEST2 = "http://test2.com"
REFERENCE: Mapping[str, object] = {
    "allowed_origins": ["http://test2.com"],
    "allowed_methods": ["POST", "GET", "PUT"],
    "allow_headers": ["test1", "test2"],
    "expose_headers": ["header1", "header2"],
    "allow_credentials": True,
    "max_age": 100,
}
POLICIES: Mapping[str, Mapping[str, object] | None] = {
    "rows": REFERENCE,
    "post-only": {**REFERENCE, "allowed_methods": ["POST"]},
    "application": {**REFERENCE, "allowed_origins": ["http://test1.com"], "allowed_methods": ["POST"]},
    "plain": {"allowed_origins": ["http://test2.com"], "allowed_methods": ["GET"]},
    "public": {"allowed_origins": ["*"], "allowed_methods": ["GET"]},
    "sandboxed": {"allowed_origins": ["null"], "allowed_methods": ["GET"]},
    "watched": {**REFERENCE, "mode": "observe"},
    "down": {"allowed_origins": ["http://test2.com"], "allowed_methods": ["GET"]},
    "unguarded": None,
}

FETCH = """async ([url, init]) => {
  try {
    const response = await fetch(url, {...init, cache: 'no-store'});
    const headers = Object.fromEntries(response.headers);
    return {status: response.status, body: await response.text(), headers};
  } catch (error) {
    return null;
  }
}"""
FETCH_IN_A_SANDBOX = (
    """([url, init]) => new Promise((resolve) => {
  addEventListener('message', ({data}) => resolve(data), {once: true});
  const frame = document.createElement('iframe');
  frame.sandbox = 'allow-scripts';
  const answer = `(FETCH)(${JSON.stringify([url, init])})`;
  frame.srcdoc = `<script>${answer}.then((read) => parent.postMessage(read, '*'))</script>`;
  document.body.append(frame);
})"""
).replace("FETCH", FETCH)


@dataclass(frozen=True, slots=True)
class Row:
    """A request from JavaScript, the status it reads, if any, and the methods that arrive."""

    name: str
    origin: str
    api: str
    reads: int | None
    arrives: Sequence[str]
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = "/pets?header=header1:one&header=header2:two&header=header3:three"
    sees: frozenset[str] = frozenset()
    judged_alike_with_credentials: bool = True


EXPOSED = frozenset({"header1", "header2"})
ONE, BOTH = {"test1": "a"}, {"test1": "a", "test2": "b"}
OWN = "/pets?cors&header=x-native:yes"
LOOSE = "/pets?header=Access-Control-Allow-Origin:*"
ROWS = [
    Row("preflight 1", TEST, "rows", None, (), "POST", BOTH),
    Row("preflight 2", TEST2, "rows", None, (), "DELETE", BOTH),
    Row("preflight 3", TEST2, "rows", None, (), "POST", {"test3": "a"}),
    Row("preflight 4", TEST2, "post-only", 200, ("POST",), "POST", ONE, sees=EXPOSED),
    Row("preflight 5", TEST2, "application", 200, ("POST",), "POST", ONE, sees=EXPOSED),
    Row("request 1", TEST, "rows", None, ()),
    Row("request 2", TEST2, "rows", 200, ("GET",), sees=EXPOSED),
    Row("request 3", TEST2, "application", 200, ("GET",), sees=EXPOSED),
    Row("a refused POST without preflight", TEST, "rows", None, (), "POST"),
    Row("a native 500", TEST2, "rows", 500, ("GET",), path="/status/500"),
    Row("a native 500, refused", TEST, "rows", None, (), path="/status/500"),
    Row("a native service that hangs up", TEST2, "rows", 503, ("GET",), path="/reset"),
    Row("precedence over native CORS", TEST2, "rows", 200, ("GET",), path=OWN),
    Row("native CORS, refused", TEST, "rows", None, (), path=LOOSE),
    Row("a service that is down", TEST2, "down", 503, (), judged_alike_with_credentials=False),
    Row("a service that is down, refused", TEST, "down", None, ()),
    Row("no credentials", TEST2, "plain", 200, ("GET",), judged_alike_with_credentials=False),
    Row("any origin", TEST, "public", 200, ("GET",), judged_alike_with_credentials=False),
    Row("pass-through, native allows nobody", TEST2, "unguarded", None, ("GET",)),
    Row("pass-through, native allows another", TEST2, "unguarded", None, ("GET",), path=OWN),
    Row(
        "pass-through, native allows all",
        TEST,
        "unguarded",
        200,
        ("GET",),
        path=LOOSE,
        judged_alike_with_credentials=False,
    ),
    Row("pass-through of a preflight", TEST2, "unguarded", None, ("OPTIONS",), "PUT"),
    Row("observed, not enforced", TEST2, "watched", None, ("GET",)),
    Row("observed preflight", TEST2, "watched", None, ("OPTIONS",), "PUT"),
]


class Script:
    """JavaScript on the pages of two origins, calling the gateway; each with a marker of its own."""

    def __init__(self, gateway: str, native: ScriptedNative, pages: Mapping[str, Page]) -> None:
        self._gateway = gateway
        self._native = native
        self._pages = pages
        self._marker = uuid.uuid4().hex

    def fetch(
        self, origin: str, api: str, path: str, init: Mapping[str, object], script: str = FETCH
    ) -> object:
        """What the script resolves to; None when the browser hides the answer."""
        separator = "&" if "?" in path else "?"
        url = f"{self._gateway}/gateway/{api}/1{path}{separator}marker={self._marker}"
        return self._pages[origin].evaluate(script, [url, dict(init)])

    @property
    def arrived(self) -> tuple[str, ...]:
        """The methods of this script's requests that the native service saw."""
        return tuple(request.method for request in self._native.log.with_marker(self._marker))


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ScriptedNative]]:
    with ExitStack() as stack:
        native = stack.enter_context(ScriptedNative())
        down = f"http://127.0.0.1:{stack.enter_context(refusing_port())}"
        apis = [
            {"name": name, "version": "1", "type": "rest", "native": down if name == "down" else native.url}
            | ({} if policy is None else {"cors": policy})
            for name, policy in POLICIES.items()
        ]
        client = {"name": "client", "javascript_origins": [TEST2], "apis": ["application/1"]}
        (port,) = free_ports(1)
        configuration = {
            "gateway": {"listen": f"127.0.0.1:{port}"},
            "apis": apis,
            "applications": [client],
        }
        file = tmp_path_factory.mktemp("rows") / "gateway.yaml"
        # JSON is YAML.
        file.write_text(json.dumps(configuration), encoding="utf-8")
        stack.enter_context(running_gateway(file))
        yield f"http://127.0.0.1:{port}", native


@pytest.fixture(scope="module")
def pages(browser: Browser) -> Iterator[Mapping[str, Page]]:
    # Shared: no row sets a cookie, and each asks for URLs of its own, so that no cached preflight is met.
    context = browser.new_context()
    opened = {origin: context.new_page() for origin in (TEST, TEST2)}
    for origin, page in opened.items():
        page.goto(origin)
    yield opened
    context.close()


@pytest.fixture
def script(served: tuple[str, ScriptedNative], pages: Mapping[str, Page]) -> Script:
    return Script(*served, pages)


@pytest.mark.parametrize("credentials", ["omit", "include"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row(script: Script, row: Row, credentials: str) -> None:
    init = {"method": row.method, "headers": dict(row.headers), "credentials": credentials}
    read = script.fetch(row.origin, row.api, row.path, init)
    hidden = row.reads is None or (credentials == "include" and not row.judged_alike_with_credentials)
    if hidden:
        assert read is None
    else:
        assert isinstance(read, dict)
        assert read["status"] == row.reads
        assert {name for name in read["headers"] if name.startswith(("header", "x-native"))} == row.sees
    assert script.arrived == tuple(row.arrives)


@pytest.mark.parametrize(("origin", "arrives"), [(TEST, ()), (TEST2, ("POST",))])
def test_no_cors_mode_sends_no_refused_request_either(
    script: Script, origin: str, arrives: tuple[str, ...]
) -> None:
    read = script.fetch(origin, "rows", "/pets", {"method": "POST", "mode": "no-cors"})
    assert isinstance(read, dict)
    assert (read["status"], read["body"]) == (0, "")
    assert script.arrived == arrives


@pytest.mark.parametrize(("api", "arrives"), [("rows", ()), ("sandboxed", ("GET",))])
def test_a_sandboxed_document_has_the_origin_null(script: Script, api: str, arrives: tuple[str, ...]) -> None:
    read = script.fetch(TEST2, api, "/pets", {}, FETCH_IN_A_SANDBOX)
    assert (read is not None) == bool(arrives)
    assert script.arrived == arrives


def test_the_body_of_an_allowed_answer_is_read_whole(script: Script) -> None:
    read = script.fetch(TEST2, "rows", "/bytes/300000", {})
    assert isinstance(read, dict)
    assert read["body"] == "x" * 300_000
