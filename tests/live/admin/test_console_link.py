"""The console's link of `crossgate run` and of `crossgate console`, and sessions over a restart."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from tests.command import CommandProcess, crossgate
from tests.ports import free_ports

pytestmark = pytest.mark.live
LINK = re.compile(r"(http://localhost:[0-9]+)/sign-in#once=([A-Za-z0-9_-]{43})")


def test_file_mode(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    file = tmp_path / "gateway.yaml"
    file.write_text(f"gateway: {{listen: 127.0.0.1:{port}}}\napis: []\n", encoding="utf-8")
    with CommandProcess(tmp_path, "run", str(file), "--no-envoy", "--admin", "127.0.0.1:0") as process:
        process.wait_for("The admin API listens at http://127.0.0.1:")
        events = [line["event"] for line in process.lines if "event" in line]
        assert events.index("console-link") < events.index("admin-listening")
        line = next(line for line in process.lines if line.get("event") == "console-link")
        found = LINK.fullmatch(line["url"])
        assert found is not None
        assert line["message"] == f"Console: {line['url']}"
        with closing(signed_in(found)) as browser:
            assert "console link" in browser.get("/").text
        assert (
            httpx.post(
                f"{found[1]}/sign-in", data={"once": found[2]}, headers={"Origin": found[1]}
            ).status_code
            == 401
        )
    # The line, its message and its field.
    assert process.output.count(found[2]) == process.written.decode().count(found[2]) // 2 == 1


def test_a_store(tmp_path: Path) -> None:
    port, admin = free_ports(2)
    data = tmp_path / "data"
    options = ("--data", str(data), "--no-envoy", "--no-console-link", "--admin", f"127.0.0.1:{admin}")
    with CommandProcess(tmp_path, "run", *options, "--listen", f"127.0.0.1:{port}") as process:
        process.wait_for("The admin API listens at")
        server = f"http://127.0.0.1:{admin}"
        printed = crossgate("console", "--data", data, "--server", server)
        found = LINK.fullmatch(printed.stdout.strip())
        assert found is not None
        browser = signed_in(found)
        token = (data / "first-token").read_text(encoding="utf-8").strip()
        of_token = crossgate("console", "--server", server, "--token", token)
        second = LINK.fullmatch(of_token.stdout.strip())
        assert second is not None
        with closing(signed_in(second)) as other:
            assert "first" in other.get("/").text
        assert "#once=" not in process.output
    with CommandProcess(tmp_path, "run", *options) as process:
        process.wait_for("The admin API listens at")
        assert browser.get("/nodes").status_code == 200, "the session outlives the restart"
    browser.close()


def signed_in(link: re.Match[str]) -> httpx.Client:
    browser = httpx.Client(base_url=link[1], headers={"Origin": link[1]}, trust_env=False, timeout=30)
    assert browser.post("/sign-in", data={"once": link[2]}).status_code == 303
    return browser
