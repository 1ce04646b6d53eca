"""SIGHUP: another program takes over in the process, and clients notice nothing."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from tests.command import ENVIRONMENT, PROGRAM, CommandProcess
from tests.live.admin.store_gateway import eventually
from tests.live.dataplane.process_end import wait_for_end
from tests.live.faults.document import PREFLIGHT, SIMPLE, Document, save, version_of
from tests.live.faults.load import load
from tests.ports import free_ports
from tests.raw_http import http1
from tests.streaming import EVENT, Pace

pytestmark = pytest.mark.live

NO_TERMINAL = ("setsid",)
STEERED = "New connections go to the new Envoy"
PACE = Pace(pieces=50, pause=0.1, quiet=0)
ORIGIN = "https://app.example"


def restart(process: CommandProcess, times: int = 1) -> None:
    """Send SIGHUP, and wait until new connections go to the new Envoy."""
    process.process.send_signal(signal.SIGHUP)
    process.wait_for(STEERED, times)


@pytest.fixture
def streams() -> Iterator[Document]:
    """A document in front of a native service whose answers take five seconds."""
    with PACE.native() as native:
        yield Document(free_ports(1)[0], native.port)


def without_base(text: str) -> str:
    """The document with the native service's own paths."""
    return re.sub(r'/v[0-9]"', '"', text)


def health(port: int) -> dict[str, object]:
    answer = httpx.get(f"http://127.0.0.1:{port}/ready", trust_env=False, timeout=30)
    return {**answer.json(), "status": answer.status_code}


def test_a_gateway_is_restarted_under_load_and_a_failed_restart_changes_nothing(
    document: Document, file: Path, tmp_path: Path
) -> None:
    [checks] = free_ports(1)
    options = ("--admin", "off", "--health", f"127.0.0.1:{checks}", "--concurrency", "2")
    with CommandProcess(tmp_path, "run", str(file), *options, before=NO_TERMINAL) as gateway:
        gateway.wait_for("Health checks are answered")
        first = gateway.envoy_pid
        with load(document.port, (PREFLIGHT, SIMPLE), version_of) as traffic:
            # A document with errors is found by a start on trial, before anything ends.
            save(file, "apis: [")
            gateway.process.send_signal(signal.SIGHUP)
            gateway.wait_for("Restart refused")
            assert health(checks)["status"] == 200

            # A port that is taken is not: the start fails, and the Envoy before goes on.
            with socket.create_server(("127.0.0.1", 0)) as taken:
                save(file, document.at(1, listen=f"127.0.0.1:{taken.getsockname()[1]}"))
                gateway.process.send_signal(signal.SIGHUP)
                gateway.wait_for("Start failed")
                assert "is in use by" in gateway.output
                ready = health(checks)
                assert ready["status"] == 200
                assert ready["warnings"] == [
                    {"code": "restart-failed", "message": "the last restart failed: see the log"}
                ]
                assert Path(f"/proc/{first}").exists()
            save(file, document.at(2))
            restart(gateway)
            traffic.wait_for(2)
            assert gateway.envoy_pid != first
            assert wait_for_end(first, 60)
            assert health(checks)["status"] == 200
        assert "Traceback" not in gateway.output


def test_streams_live_until_the_drain_time_ends_and_the_old_envoy_follows_changes(
    streams: Document, tmp_path: Path
) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(without_base(streams.at(1)), encoding="utf-8")
    options = ("--admin", "off", "--health", "off", "--concurrency", "1")
    with (
        CommandProcess(tmp_path, "run", str(file), *options, before=NO_TERMINAL) as gateway,
        ThreadPoolExecutor() as pool,
    ):
        gateway.wait_for("Crossgate serves")
        first = gateway.envoy_pid
        begun = [
            pool.submit(PACE.get, http, "/gateway/pets/1/events", ORIGIN, streams.port)
            for http in ("1.1", "2")
        ]
        time.sleep(0.5)
        with ExitStack() as stack:
            # A connection stays with the old Envoy until its next response, which closes it.
            kept = [stack.enter_context(http1(streams.port)) for _ in range(50)]
            restart(gateway)
            gateway.wait_for("Envoy is draining")
            save(file, without_base(streams.at(2)))
            gateway.wait_for("Change enforced")
            eventually(lambda: version_of(kept.pop().send(PREFLIGHT)) == 2)
        for one in begun:
            answer = one.result()
            assert (answer.status, answer.body) == (200, PACE.pieces * EVENT)
        assert wait_for_end(first, 60)
        assert "aborted" not in gateway.output


def test_a_closed_terminal_ends_a_gateway(file: Path, tmp_path: Path) -> None:
    leader, terminal = pty.openpty()
    options = ("--admin", "off", "--health", "off", "--concurrency", "1", "--log-format", "json")
    with subprocess.Popen(
        ["setsid", "--ctty", PROGRAM, "run", str(file), *options],
        stdin=terminal,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        cwd=tmp_path,
    ) as process:
        os.close(terminal)
        assert process.stdout is not None
        lines = map(json.loads, process.stdout)
        assert any(line["event"] == "gateway-serving" for line in lines if "event" in line)
        os.close(leader)  # the kernel sends SIGHUP
        assert process.wait(60) == 0
        assert "restarting" not in [line.get("event") for line in lines]
