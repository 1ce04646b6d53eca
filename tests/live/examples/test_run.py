"""``make run``: everything starts, the commands are printed, and one signal ends it all."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path

import pytest
from examples.servers import Ports
from tests.command import ROOT
from tests.ports import free_ports

SECONDS = 60.0
SERVERS = len(astuple(Ports())) - 1  # all but the one that is down
PROGRAM = """
import sys
from pathlib import Path
from examples.servers import Ports
from examples.run import run
sys.exit(run(Ports(*map(int, sys.argv[3:])), Path(sys.argv[1]), Path(sys.argv[2])))
"""


@contextmanager
def example(folder: Path, ports: Ports) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    file, log = folder / "gateway.yaml", folder / "log"
    file.write_text(ports.configuration(), encoding="utf-8")
    numbers = [str(port) for port in astuple(ports)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(file), str(folder / "data"), *numbers],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        )
    try:
        yield process, log
    finally:
        process.terminate()
        process.wait(SECONDS)


def wait_for(process: subprocess.Popen[bytes], log: Path, text: str) -> None:
    deadline = time.monotonic() + SECONDS
    while text not in log.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
        assert process.poll() is None, log.read_text(encoding="utf-8")
        time.sleep(0.05)


def listening(numbers: Sequence[int]) -> list[int]:
    found = []
    for port in numbers:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                found.append(port)
    return found


@pytest.mark.live
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_ends_everything(tmp_path: Path, number: signal.Signals) -> None:
    numbers = free_ports(SERVERS + 1)
    ports = Ports(*numbers)
    with example(tmp_path, ports) as (process, log):
        wait_for(process, log, "Requests that reach a native service")
        assert listening(numbers) == numbers[:-1]
        process.send_signal(number)
        assert process.wait(SECONDS) == 0
    assert listening(numbers) == []
    assert ports.url("stranger") in log.read_text(encoding="utf-8")


@pytest.mark.live
@pytest.mark.parametrize("name", ["gateway", "pets", "stranger"])
def test_a_port_in_use_is_named(tmp_path: Path, name: str) -> None:
    ports = Ports(*free_ports(SERVERS + 1))
    port = getattr(ports, name)
    with socket.create_server(("127.0.0.1", port)), example(tmp_path, ports) as (process, log):
        assert process.wait(SECONDS) == 2
    assert f"port {port}" in log.read_text(encoding="utf-8")
    assert "is in use" in log.read_text(encoding="utf-8")
    assert "Traceback" not in log.read_text(encoding="utf-8")
