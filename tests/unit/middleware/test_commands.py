"""The recipes under the commands that people start them with, whatever object these find."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.django_site import SHOP
from tests.ports import free_ports
from tests.raw_http import RawRequest, http1

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = ROOT / "docs" / "how-to" / "middleware.md"
EVIL: Final = "https://evil.example.org"

COMMANDS: Final = {
    "fastapi run": "-m fastapi run fastapi_app.py --port {port}",
    "uvicorn, FastAPI": "-m uvicorn fastapi_app:app --port {port}",
    "uvicorn, no lifespan": "-m uvicorn starlette_app:app --port {port} --lifespan off",
    "litestar run": "-m litestar --app litestar_app:app run --port {port}",
    "flask run": "-m flask --app flask_app run --port {port}",
    "manage.py runserver": "-m django runserver --noreload 127.0.0.1:{port}",
    "gunicorn, Django": "-m gunicorn tests.django_server:wsgi --bind 127.0.0.1:{port}",
    "uvicorn, Django": "-m uvicorn tests.django_server:asgi --port {port} --lifespan off",
}
WRAPPED: Final = """
from crossgate.middleware import CorsMiddleware, build_policy
from fastapi import FastAPI

api = FastAPI()
protected = CorsMiddleware(api, build_policy())
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running command."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def status(self, path: str, origin: str, method: str = "GET") -> tuple[int, list[str]]:
        """The status of a response, and its allowed origins."""
        headers = [("Host", f"127.0.0.1:{self.port}"), ("Origin", origin)]
        if method == "OPTIONS":
            headers.append(("Access-Control-Request-Method", "PUT"))
        with http1(self.port) as connection:
            answer = connection.send(RawRequest(method, path, tuple(headers)))
        return answer.status, answer.all("Access-Control-Allow-Origin")


def _start(stack: ExitStack, name: str, command: str, port: int, folder: Path) -> Server:
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT), str(folder)]),
        "DJANGO_SETTINGS_MODULE": "tests.django_site",
        "DJANGO_DEBUG": "yes" if "runserver" in name else "",
    }
    log = folder / f"{name}.log"
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, *command.format(port=port).split()],
            cwd=folder,
            env=environ,
            stdout=stack.enter_context(log.open("wb")),
            stderr=subprocess.STDOUT,
        )
    )
    stack.callback(process.terminate)
    return Server(process, port, log)


def _wait_for(server: Server) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert server.process.poll() is None, server.log.read_text()
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
            continue
        return
    raise TimeoutError(server.log.read_text())


def test_every_command_enforces_the_policy(tmp_path: Path) -> None:
    for name, recipe in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE.read_text(), re.DOTALL):
        (tmp_path / name).write_text(recipe)
    (tmp_path / "wrapped_app.py").write_text(WRAPPED)
    expected = {
        ("/pets", SHOP): (200, [SHOP]),
        ("/pets", EVIL): (403, []),
        ("/broken", SHOP): (500, [SHOP]),
        ("/nowhere", SHOP): (404, [SHOP]),
        ("/pets", SHOP, "OPTIONS"): (200, [SHOP]),
    }
    wrapped = "-m fastapi run wrapped_app.py --port {port}"
    with ExitStack() as stack:
        commands = {**COMMANDS, "wrapped": wrapped}
        ports = free_ports(len(commands))
        servers = {
            name: _start(stack, name, command, port, tmp_path)
            for (name, command), port in zip(commands.items(), ports, strict=True)
        }
        for server in servers.values():
            _wait_for(server)
        bypassed = servers.pop("wrapped")
        for name, server in servers.items():
            seen = {request: server.status(*request) for request in expected}
            assert seen == expected, f"{name}\n{server.log.read_text()}"
        # What the page says of the static files of a development server.
        assert servers["manage.py runserver"].status("/static/messages.txt", EVIL) == (200, [])
        # Nothing can prevent this; so the log says what to write.
        assert bypassed.status("/docs", EVIL) == (200, [])
    assert "add_middleware(CorsMiddleware, policy=policy)" in _unwrapped(bypassed.log.read_text())
    refused = f"method 'GET', path '/pets', origin '{EVIL}'"
    for name, server in servers.items():
        assert _unwrapped(server.log.read_text()).count(refused) == 1, name


def _unwrapped(log: str) -> str:
    """A log without colours and the line breaks of commands that fit it to a terminal."""
    return re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*m", "", log))
