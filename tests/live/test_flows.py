"""The page about the architecture names every file that the flows pass, when they really run.

Reports of nodes arrive meanwhile, so flows of the gateway may pass the files of flow 4.
"""

from __future__ import annotations

import asyncio
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from wsgiref.util import setup_testing_defaults

import httpx
from tests.ports import free_ports
from tests.source import PACKAGE, ROOT

from crossgate.app.events import AdminListening, ChangeEnforced, Event, LintReported
from crossgate.app.gateway import AdminOptions, GatewayOptions, run_gateway
from crossgate.catalogue.model import Catalogue
from crossgate.importers.commented import write_commented
from crossgate.importers.merge import merge_imported
from crossgate.importers.result import ImportOptions
from crossgate.importers.source import Source
from crossgate.middleware import CorsMiddleware, WsgiCorsMiddleware, build_policy
from crossgate.net.address import HostPort
from crossgate.service.imports import import_sources
from crossgate.store import SqliteDirectory

PAGE = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
DOCUMENT = """
gateway: {{listen: "127.0.0.1:{port}"}}
apis:
  - name: pets
    version: "1"
    type: rest
    native: http://127.0.0.1:{native}
    cors: {{allowed_origins: {origins}, allowed_methods: [GET]}}
"""
ORIGINS = ["https://app.example", "https://*.pages.example", {"regex": "https://pr-[0-9]+[.]example[.]com"}]
_SECONDS = 60.0


def _named(*flows: str) -> set[str]:
    """The files that the flows name; of a folder that they name, all files."""
    found: set[str] = set()
    for flow in flows:
        section = re.search(rf"^## {flow}:.*?(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
        assert section is not None, flow
        for path in re.findall(r"`((?:\w+/)*\w*(?:\.py|/))`", section[0]):
            found |= {path} if path.endswith(".py") else {*map(_relative, (PACKAGE / path).rglob("*.py"))}
    return found


def _relative(path: str | Path) -> str:
    return Path(path).relative_to(PACKAGE).as_posix()


class _Called:
    """The files of the package in which a function was called while recording."""

    def __init__(self) -> None:
        self.recording = False
        self.files: set[str] = set()
        self._locates = (str(PACKAGE / "app" / "sources.py"), "located")
        self._located = 0
        self._started = asyncio.Event()

    def profile(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(str(PACKAGE)):
            self._located += (code.co_filename, code.co_name) == self._locates
            if self._located == 2:
                self._started.set()  # in the loop's thread
            if self.recording:
                self.files.add(_relative(code.co_filename))

    async def wait_until_started(self) -> None:
        """Until a gateway with a store has located both findings about its native services.

        That goes on after the start, beside the first requests; no event reports its end.
        """
        async with asyncio.timeout(_SECONDS):
            await self._started.wait()


@contextmanager
def _called() -> Iterator[_Called]:
    called = _Called()
    threading.setprofile(called.profile)
    sys.setprofile(called.profile)
    try:
        yield called
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


class _Events:
    """The events of a gateway, to wait for."""

    def __init__(self) -> None:
        self.all: list[Event] = []
        self._new = asyncio.Event()

    def emit(self, event: Event) -> None:
        self.all.append(event)
        self._new.set()

    async def wait_for(self, kind: type[Event], count: int = 1) -> list[Event]:
        async with asyncio.timeout(_SECONDS):
            while len(found := [event for event in self.all if isinstance(event, kind)]) < count:
                self._new.clear()
                await self._new.wait()
        return found


def test_a_saved_file(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    port, native = free_ports(2)
    file.write_text(DOCUMENT.format(port=port, native=native, origins=["https://old.example"]))

    async def edit(called: _Called) -> None:
        events, stop = _Events(), asyncio.Event()
        gateway = asyncio.create_task(run_gateway(GatewayOptions(file, concurrency=1), events.emit, stop))
        await events.wait_for(LintReported)
        called.recording = True
        file.write_text(DOCUMENT.format(port=port, native=native, origins=ORIGINS))
        await events.wait_for(ChangeEnforced)
        await events.wait_for(LintReported, 2)
        called.recording = False
        stop.set()
        await gateway

    with _called() as called:
        asyncio.run(edit(called))
    assert called.files - _named("Flow 1", "Flow 4") == set()


def test_a_rest_write(tmp_path: Path) -> None:
    port, native = free_ports(2)
    options = GatewayOptions(
        SqliteDirectory(tmp_path),
        concurrency=1,
        listen=HostPort("127.0.0.1", port),
        admin=AdminOptions(HostPort("127.0.0.1", 0)),
    )

    async def write(called: _Called) -> None:
        events, stop = _Events(), asyncio.Event()
        gateway = asyncio.create_task(run_gateway(options, events.emit, stop))
        [listening] = await events.wait_for(AdminListening)
        assert isinstance(listening, AdminListening)
        assert listening.first_token is not None
        token = {"Authorization": f"Bearer {listening.first_token.read_text().strip()}"}
        api = {"type": "rest", "native": f"http://127.0.0.1:{native}"}
        async with httpx.AsyncClient(
            base_url=listening.url, headers=token, timeout=_SECONDS, trust_env=False
        ) as client:
            created = await client.put("/v1/apis/pets/1", json=api, headers={"If-None-Match": "*"})
            assert created.status_code == 201, created.text
            await events.wait_for(ChangeEnforced)
            await called.wait_until_started()
            called.recording = True
            etag = {"If-Match": created.headers["ETag"]}
            body = api | {"cors": {"allowed_origins": ORIGINS, "allowed_methods": ["GET"]}}
            written = await client.put("/v1/apis/pets/1", json=body, headers=etag)
            assert written.status_code == 200, written.text
            await events.wait_for(ChangeEnforced, 2)
            called.recording = False
        stop.set()
        await gateway

    with _called() as called:
        asyncio.run(write(called))
    assert called.files - _named("Flow 1", "Flow 2", "Flow 4") == set()


def test_a_page_of_the_console(tmp_path: Path) -> None:
    [port] = free_ports(1)
    options = GatewayOptions(
        SqliteDirectory(tmp_path),
        concurrency=1,
        listen=HostPort("127.0.0.1", port),
        admin=AdminOptions(HostPort("127.0.0.1", 0)),
    )

    async def visit(called: _Called) -> None:
        events, stop = _Events(), asyncio.Event()
        gateway = asyncio.create_task(run_gateway(options, events.emit, stop))
        [listening] = await events.wait_for(AdminListening)
        assert isinstance(listening, AdminListening)
        assert listening.first_token is not None
        token = listening.first_token.read_text().strip()
        url = listening.url.replace("127.0.0.1", "localhost")
        async with httpx.AsyncClient(base_url=url, timeout=_SECONDS, trust_env=False) as client:
            await client.get("/sign-in")
            await called.wait_until_started()
            called.recording = True
            signed_in = await client.post("/sign-in", data={"token": token}, headers={"Origin": url})
            assert signed_in.status_code == 303, signed_in.text
            assert (await client.get("/refusals")).status_code == 200
            shown = await client.get("/changes")
            assert shown.status_code == 200, shown.text
            form = re.search(r'name="csrf" value="([^"]+)"', shown.text)
            csrf = form[1] if form else ""
            ended = await client.post("/sign-out", data={"csrf": csrf}, headers={"Origin": url})
            assert ended.status_code == 303, ended.text
            called.recording = False
        stop.set()
        await gateway

    with _called() as called:
        asyncio.run(visit(called))
    python = {path for path in called.files if path.endswith(".py")}  # not the templates
    assert sorted(python - _named("Flow 1", "Flow 2", "Flow 4", "Flow 5")) == []


def test_a_request_in_the_middleware() -> None:
    policy = build_policy(allowed_origins=ORIGINS, allowed_methods=["GET"], allow_headers=["X-Token"])

    async def application(_scope: object, _receive: object, send: Any, /) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(_: object) -> None:
        """Discard the response."""

    asgi: Any = CorsMiddleware(application, policy)

    def wsgi_application(
        _: object, start_response: Callable[[str, list[tuple[str, str]]], object]
    ) -> list[bytes]:
        start_response("200 OK", [])
        return []

    wsgi: Any = WsgiCorsMiddleware(wsgi_application, policy)
    origins = ("", "https://app.example", "https://a.pages.example", "https://pr-1.example.com")
    with _called() as called:
        called.recording = True
        for method in ("GET", "OPTIONS"):
            for origin in origins:
                sent = {
                    "Origin": origin,
                    "Access-Control-Request-Method": "GET",
                    "Access-Control-Request-Headers": "x-token",
                }
                headers = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
                asyncio.run(asgi({"type": "http", "method": method, "headers": headers}, None, send))
                environ: dict[str, Any] = {"REQUEST_METHOD": method}
                environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent.items()}
                setup_testing_defaults(environ)
                list(wsgi(environ, lambda *_: lambda _: None))
        called.recording = False
    assert called.files - _named("Flow 3") == set()


def test_an_import() -> None:
    file = ROOT / "tests" / "data" / "imports" / "kong" / "deck-route-plugin.yaml"
    options = ImportOptions(origins=("https://a.example.com", "https://evil.github.io"))
    with _called() as called:
        called.recording = True
        imported = import_sources([Source("kong.yaml", file.read_bytes())], options=options)
        write_commented(imported)
        merge_imported(Catalogue(), imported)
        called.recording = False
    assert imported.kinds == ("kong",)
    other = called.files - _named("Flow 1", "Flow 8")
    assert sorted(other) == []
