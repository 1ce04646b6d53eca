"""``crossgate refusals --follow`` while the gateway goes and comes back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tests.command import crossgate


class _Gateway(BaseHTTPRequestHandler):
    answers: Iterator[str]

    def do_GET(self) -> None:
        if not self.path.startswith("/v1/refusals/events"):
            self._send(200, "application/json", json.dumps({"items": [], "next": None, "others": []}))
            return
        match next(self.answers):
            case "stream":
                self._send(200, "text/event-stream", ": connected\n\n")
            case "refuse":
                self._send(401, "application/json", "{}")
            case _:
                self.close_connection = True

    def _send(self, status: int, content_type: str, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    class Gateway(_Gateway):
        answers = iter(("stream", "reset", "reset", "stream", "refuse"))

    with HTTPServer(("127.0.0.1", 0), Gateway) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv("CROSSGATE_SERVER", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("CROSSGATE_TOKEN", "cgt_x")
        monkeypatch.setattr("crossgate.cli.admin_client._RECONNECT_SECONDS", 0)
        yield
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("gateway")
def test_each_interruption_is_told_once_and_so_is_its_end() -> None:
    followed = crossgate("refusals", "--follow", "--json")

    assert (followed.returncode, followed.stdout) == (2, "")
    lines = followed.stderr.splitlines()
    lost, back = "Connection to the gateway lost; retrying until it is back", "Connected to the gateway again"
    assert lines[:3] == [lost, back, lost]
    assert "[server-no-admin-api]" in followed.stderr
