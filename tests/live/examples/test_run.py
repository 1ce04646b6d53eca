"""``make run``: everything starts, the commands are printed, and one signal ends it all."""

from __future__ import annotations

import signal
import socket
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import pytest
from examples.servers import Ports
from tests.ports import free_ports
from tests.running_example import SECONDS, STARTED, running_example, wait_for

SERVERS = len(astuple(Ports())) - 1  # all but the one that is down


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
    with running_example(tmp_path, ports) as (process, log):
        wait_for(process, log, STARTED)
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
    with socket.create_server(("127.0.0.1", port)), running_example(tmp_path, ports) as (process, log):
        assert process.wait(SECONDS) == 2
    assert f"port {port}" in log.read_text(encoding="utf-8")
    assert "is in use" in log.read_text(encoding="utf-8")
    assert "Traceback" not in log.read_text(encoding="utf-8")
