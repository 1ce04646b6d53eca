"""Signals and crashes at bad moments of a restart; clients see none of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from tests.command import CommandProcess
from tests.live.admin.store_gateway import eventually
from tests.live.faults.load import load
from tests.ports import free_ports
from tests.raw_http import RawRequest, RawResponse, http1
from tests.streaming import EVENT, Pace

pytestmark = pytest.mark.acceptance

ORIGIN = "https://app.example"
PREFLIGHT = RawRequest(
    "OPTIONS", "/gateway/pets/1/x", (("Origin", ORIGIN), ("Access-Control-Request-Method", "GET"))
)
PACE = Pace(pieces=80, pause=0.1, quiet=0, timeout=90)


class Running:
    """A gateway at an address, with streams of 8 s behind it."""

    def __init__(self, folder: Path, port: int, native: int, listen: str) -> None:
        file = folder / "gateway.yaml"
        file.write_text(
            f"""
gateway: {{listen: "{listen}:{port}"}}
apis:
  - name: pets
    version: "1"
    type: rest
    native: http://127.0.0.1:{native}
    cors: {{allowed_origins: ["{ORIGIN}"], allowed_methods: [GET]}}
"""
        )
        options = ("--admin", "off", "--health", "off", "--concurrency", "2", "--drain-time", "20")
        self.port = port
        self.process = CommandProcess(folder, "run", str(file), *options, before=("setsid",))
        self.process.wait_for("Crossgate serves")

    def restart(self) -> None:
        self.process.process.send_signal(signal.SIGHUP)

    def envoys(self) -> list[int]:
        """The Envoys that it has, the oldest first."""
        found = [one for one in psutil.Process(self.process.process.pid).children() if _serves(one)]
        return [one.pid for one in sorted(found, key=psutil.Process.create_time)]

    def wait_until_settled(self) -> None:
        """Wait until a restart is complete: one Envoy has been alone for some seconds since the last one."""
        alone = time.monotonic()

        def settled() -> bool:
            nonlocal alone
            output = self.process.output
            restarting, steered = (output.rfind(line) for line in ("Restarting: ", "New connections go to"))
            children = psutil.Process(self.process.process.pid).children()
            if restarting > steered or [one.pid for one in children] != [self.process.envoy_pid]:
                alone = time.monotonic()
            return time.monotonic() - alone > 4

        self.process.wait_for("Restarting: ")
        eventually(settled)


@pytest.fixture(params=["127.0.0.1", "[::]"])
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    with PACE.native() as native:
        running = Running(tmp_path, free_ports(1)[0], native.port, request.param)
        with running.process:
            yield running


def _serves(process: psutil.Process) -> bool:
    """Whether it is an Envoy that serves: not one that only prints its version, or that has ended."""
    with suppress(psutil.NoSuchProcess):
        return process.name() == "envoy" and "--config-path" in process.cmdline()
    return False


def allowed(answer: RawResponse) -> int:
    assert answer.status == 200, answer
    return 0


@pytest.mark.parametrize("gateway", ["127.0.0.1"], indirect=True)
def test_two_signals_at_any_distance(gateway: Running) -> None:
    with load(gateway.port, [PREFLIGHT], allowed) as traffic:
        for distance in (0.02, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0):
            before = gateway.envoys()
            gateway.restart()
            time.sleep(distance)
            gateway.restart()
            gateway.wait_until_settled()
            assert gateway.envoys() != before
            traffic.check()
    assert "Traceback" not in gateway.process.output


@pytest.mark.parametrize("gateway", ["127.0.0.1"], indirect=True)
def test_a_new_envoy_that_is_killed_is_started_again(gateway: Running) -> None:
    [old] = gateway.envoys()
    with load(gateway.port, [PREFLIGHT], allowed):
        gateway.restart()
        eventually(lambda: len(gateway.envoys()) == 2)
        killed = gateway.envoys()[-1]
        os.kill(killed, signal.SIGKILL)
        gateway.wait_until_settled()
        assert gateway.envoys()[0] not in (old, killed)


@pytest.mark.parametrize("gateway", ["127.0.0.1"], indirect=True)
def test_a_stop_during_the_drain_lets_both_finish(gateway: Running) -> None:
    with ThreadPoolExecutor() as pool:
        old = pool.submit(PACE.get, "1.1", "/gateway/pets/1/events", ORIGIN, gateway.port)
        time.sleep(0.3)
        gateway.restart()
        gateway.process.wait_for("Envoy is draining")
        new = pool.submit(PACE.get, "2", "/gateway/pets/1/events", ORIGIN, gateway.port)
        time.sleep(0.3)
        gateway.process.process.send_signal(signal.SIGTERM)
        assert [one.result().body for one in (old, new)] == [PACE.pieces * EVENT] * 2
        code, output = gateway.process.wait_until_ended()
        assert (code, "aborted" in output) == (0, False)


@pytest.mark.parametrize("gateway", ["[::]"], indirect=True)
def test_a_listener_of_ipv6(gateway: Running) -> None:
    with ThreadPoolExecutor() as pool:
        for number in range(1, 4):
            gateway.restart()
            answers: list[int] = []
            while "New connections go to" not in gateway.process.output[-2000:] and len(answers) < 5000:
                answers.append(pool.submit(_preflight, gateway.port).result())
            gateway.process.wait_for("New connections go to the new Envoy", number)
            gateway.wait_until_settled()
            answers += [_preflight(gateway.port) for _ in range(50)]
            assert set(answers) == {200}


def _preflight(port: int) -> int:
    with http1(port, source="::1") as connection:
        return connection.send(PREFLIGHT).status
