"""``make run``: everything starts, says what to try, and ends whole."""

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
from examples.places import Places
from tests.gateway import ROOT
from tests.ports import free_ports

SECONDS = 60.0
SERVERS = len(astuple(Places())) - 1  # all but the one that is down
PROGRAM = """
import sys
from pathlib import Path
from examples.places import Places
from examples.run import run
sys.exit(run(Places(*map(int, sys.argv[2:])), Path(sys.argv[1])))
"""


@contextmanager
def example(folder: Path, places: Places) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    file, log = folder / "gateway.yaml", folder / "log"
    file.write_text(places.configuration(), encoding="utf-8")
    ports = [str(port) for port in astuple(places)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(file), *ports],
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


def listening(ports: Sequence[int]) -> list[int]:
    found = []
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                found.append(port)
    return found


@pytest.mark.live
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_ends_everything(tmp_path: Path, number: signal.Signals) -> None:
    ports = free_ports(SERVERS + 1)
    places = Places(*ports)
    with example(tmp_path, places) as (process, log):
        wait_for(process, log, "Below: every request")
        assert listening(ports) == ports[:-1]
        process.send_signal(number)
        assert process.wait(SECONDS) == 0
    assert listening(ports) == []
    assert places.url("stranger") in log.read_text(encoding="utf-8")


@pytest.mark.live
@pytest.mark.parametrize("name", ["gateway", "pets", "stranger"])
def test_a_taken_port_is_named(tmp_path: Path, name: str) -> None:
    places = Places(*free_ports(SERVERS + 1))
    port = getattr(places, name)
    with socket.create_server(("127.0.0.1", port)), example(tmp_path, places) as (process, log):
        assert process.wait(SECONDS) == 2
    assert f"port {port}" in log.read_text(encoding="utf-8")
    assert "is taken" in log.read_text(encoding="utf-8")
    assert "Traceback" not in log.read_text(encoding="utf-8")
