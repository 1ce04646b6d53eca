"""The log of a gateway from its start to its stop, in a file, a pipe and a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tests.command import ENVIRONMENT, PROGRAM, CommandProcess, running_gateway
from tests.live.faults.document import SIMPLE, Document, save, version_of
from tests.raw_http import http1

pytestmark = pytest.mark.live
_TEXT_LINE = re.compile(
    r"(\x1b\[2m)?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z(\x1b\[0m)? (\x1b\[\d+m)?(info|warning|error) "
)
_SECONDS = 60.0


def check(lines: list[dict[str, Any]]) -> None:
    """Every line begins with time, level and message."""
    for line in lines:
        assert list(line)[:3] == ["time", "level", "message"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["time"])
        assert line["level"] in ("info", "warning", "error")
        assert line["message"]


def test_every_line_of_a_life_is_json(document: Document, file: Path) -> None:
    with running_gateway(file, "--concurrency", "1", "--admin", "127.0.0.1:0") as gateway:
        gateway.wait_for("The admin API listens at http://127.0.0.1:")
        save(file, document.at(2))
        gateway.wait_for("Change enforced")
        save(file, "apis: [}\x1b[2J\u202e")
        gateway.wait_for("Change refused")
        os.kill(gateway.envoy_pid, signal.SIGKILL)
        gateway.wait_until_envoy_is_ready(2)
        save(file, document.at(3))
        gateway.wait_for("Change enforced", 2)
    assert gateway.written.isascii()
    lines = gateway.lines
    check(lines)
    by_event = {line["event"]: line for line in lines if "event" in line}
    assert by_event["gateway-serving"]["message"].startswith("Crossgate serves ")
    assert by_event["gateway-serving"]["address"] == f"http://127.0.0.1:{document.port}"
    assert (by_event["change-enforced"]["revision"], by_event["change-enforced"]["resources"]) == (3, 1)
    refused = [line for line in lines if line.get("event") == "change-refused"]
    assert {line["level"] for line in refused} == {"error"}
    assert (refused[1]["file"], refused[1]["line"]) == (str(file), 1)
    assert by_event["envoy-exited"]["reason"] == "was killed by SIGKILL"
    assert by_event["envoy-ready"]["node"] == "local"
    assert by_event["envoy-ready"]["pid"] == gateway.envoy_pid
    assert lines[-1]["event"] == "envoy-draining"


def test_a_refused_start_is_json(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("apis: 1\nother: 2\n")
    process = CommandProcess(tmp_path, "run", "gateway.yaml")
    assert process.wait_until_ended()[0] == 2
    check(process.lines)
    assert {line["level"] for line in process.lines if line.get("event") != "root"} == {"error"}
    assert {line["line"] for line in process.lines if "line" in line} == {1, 2}


def test_a_terminal_gets_text(file: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, "run", str(file), "--admin", "off"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=ENVIRONMENT,
    )
    os.close(theirs)
    received = b""
    while b"press Ctrl-C to stop" not in received:
        received += os.read(ours, 65536)
    process.terminate()
    try:
        while piece := os.read(ours, 65536):
            received += piece
    except OSError:  # the terminal of a process that has ended
        pass
    assert process.wait(_SECONDS) == 0
    os.close(ours)
    lines = received.decode().splitlines()
    assert all(_TEXT_LINE.match(line) for line in lines), lines
    assert any("Crossgate serves 1 APIs from" in line for line in lines)


@pytest.mark.parametrize("closed", [True, False])
def test_a_reader_that_stops_reading_stops_nothing(document: Document, file: Path, *, closed: bool) -> None:
    """It reads the first lines; later it closes the pipe, or leaves it full."""
    with subprocess.Popen(
        [PROGRAM, "run", str(file), "--concurrency", "1", "--admin", "off"],
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
        cwd=file.parent,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Crossgate serves" in json.loads(line)["message"]:
                break
        if closed:
            process.stdout.close()
        try:
            # Each refused document is some hundred lines, of 64 KiB that a pipe holds.
            broken = "apis: [" + "{}, " * 200 + "]"
            with http1(document.port) as connection:
                for version in range(2, 8):
                    save(file, broken)
                    time.sleep(0.1)
                    save(file, document.at(version))
                    deadline = time.monotonic() + _SECONDS
                    while version_of(connection.send(SIMPLE)) != version:
                        assert time.monotonic() < deadline
        finally:
            process.terminate()
            ended = process.wait(_SECONDS)
        assert ended == 0
