"""Restarts, upgrades and kills under load as fast as the machine goes, with 50 streams open.

The figures are in docs/explanation/performance.md.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from tests.acceptance.restart_load import ORIGIN, PATH
from tests.command import ENVIRONMENT, CommandProcess
from tests.live.admin.store_gateway import eventually
from tests.live.dataplane.process_end import wait_for_end
from tests.native_services import SocketNative
from tests.ports import free_ports
from tests.renewals import RenewedPair, held_by, served, untrusting
from tests.streaming import EVENT, Pace

pytestmark = pytest.mark.acceptance

RESTARTS = 13
STREAMS = 50
PACE = Pace(pieces=40, pause=0.1, quiet=0, timeout=60)
"""Streams of 4 s."""
KINDS = ("new", "new", "kept", "http2")
DOCUMENT = """
gateway:
  listen: {host}:{port}
apis:
  - name: pets
    version: "1"
    type: rest
    native: http://127.0.0.1:{native}
    cors: {{allowed_origins: ["https://app.example"], allowed_methods: [GET, PUT]}}
"""
NO_TERMINAL = ("setsid",)


@dataclass
class Traffic:
    """What clients have got so far."""

    responses: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    streams: int = 0

    def __str__(self) -> str:
        return f"{self.responses:,} requests and {self.streams:,} streams, failures: {dict(self.failures)}"


@contextmanager
def traffic(port: int, *, tls: bool = False) -> Iterator[Traffic]:
    """Load of every kind, and 50 streams at a time, while the context lasts; then everything has ended."""
    found = Traffic()
    stopping = threading.Event()

    def stream(number: int) -> None:
        http = ("1.1", "2")[number % 2]
        while not stopping.is_set():
            try:
                context = untrusting("h2" if http == "2" else "http/1.1") if tls else None
                answer = PACE.get(http, f"{PATH}/events", ORIGIN, port, context)
                complete = (answer.status, answer.body) == (200, PACE.pieces * EVENT)
                found.failures.update(
                    [] if complete else [f"stream: {answer.status}, {len(answer.body)} bytes"]
                )
            except (OSError, EOFError, ValueError) as error:
                found.failures[f"stream: {type(error).__name__}"] += 1
            found.streams += 1

    loads = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.acceptance.restart_load",
                str(port),
                kind,
                *(["tls"] if tls else []),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        for kind in KINDS
    ]
    with ThreadPoolExecutor(STREAMS) as pool:
        streams: list[Future[None]] = [pool.submit(stream, number) for number in range(STREAMS)]
        try:
            yield found
        finally:
            stopping.set()
            for load in loads:
                output, _ = load.communicate()
                result = json.loads(output)
                found.responses += result["responses"]
                found.failures.update(result["failures"])
            for one in streams:
                one.result()


@pytest.fixture
def native() -> Iterator[SocketNative]:
    with PACE.native() as running:
        yield running


def restart(process: CommandProcess, number: int) -> None:
    """Restart, and wait until the Envoy before has ended."""
    before = process.envoy_pid
    process.process.send_signal(signal.SIGHUP)
    process.wait_for("New connections go to the new Envoy", number)
    assert process.envoy_pid != before
    assert wait_for_end(before, 90)


def show(what: str, found: Traffic) -> None:
    print(f"\n{what}: {found}")  # noqa: T201 - for the documentation


@pytest.mark.parametrize(("host", "workers"), [("127.0.0.1", "2"), ("0.0.0.0", "1")])
def test_restarts_of_a_gateway(native: SocketNative, tmp_path: Path, host: str, workers: str) -> None:
    port, admin, health = free_ports(3)
    file = tmp_path / "gateway.yaml"
    file.write_text(DOCUMENT.format(host=host, port=port, native=native.port))
    options = ("--admin", f"127.0.0.1:{admin}", "--health", f"127.0.0.1:{health}", "--concurrency", workers)
    checks = Counter[str]()
    with (
        httpx.Client(trust_env=False, timeout=60) as client,
        CommandProcess(tmp_path, "run", str(file), *options, before=NO_TERMINAL) as gateway,
    ):
        gateway.wait_for("The admin API listens")

        def check(stop: threading.Event) -> None:
            while not stop.wait(0.1):
                for path in (f"http://127.0.0.1:{health}/ready", f"http://127.0.0.1:{admin}/live"):
                    try:
                        answer = client.get(path, headers={"Connection": "close"})
                        reasons = [one["code"] for one in answer.json().get("reasons", ())]
                        checks[" ".join([str(answer.status_code), *reasons])] += 1
                    except httpx.TransportError as error:
                        checks[type(error).__name__] += 1

        stop = threading.Event()
        checking = threading.Thread(target=check, args=(stop,))
        checking.start()
        with traffic(port) as found:
            for number in range(1, RESTARTS + 1):
                restart(gateway, number)
        stop.set()
        checking.join()
        show(f"{RESTARTS} restarts of a gateway at {host}, health and admin {dict(checks)}", found)
        assert not found.failures
        assert checks.keys() == {"200"}
        assert "aborted" not in gateway.output


def test_counts_are_exact_across_restarts(native: SocketNative, tmp_path: Path) -> None:
    port, admin, health = free_ports(3)
    file = tmp_path / "gateway.yaml"
    file.write_text(DOCUMENT.format(host="127.0.0.1", port=port, native=native.port))
    data = ("--data", str(tmp_path / "store"), "--listen", f"127.0.0.1:{port}", "--concurrency", "1")
    addresses = ("--admin", f"127.0.0.1:{admin}", "--health", f"127.0.0.1:{health}")
    with (
        httpx.Client(trust_env=False, timeout=60) as client,
        CommandProcess(tmp_path, "run", *data, *addresses, before=NO_TERMINAL) as gateway,
    ):
        gateway.wait_for("for this user only: ")
        token = (tmp_path / "store" / "first-token").read_text().strip()
        client.headers["Authorization"] = f"Bearer {token}"
        url = f"http://127.0.0.1:{admin}/v1/apply"
        applied = client.post(
            url, content=file.read_bytes(), headers={"Content-Type": "application/yaml", "If-Match": "*"}
        )
        assert applied.status_code == 200, applied.text
        preflight = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
        api = f"http://127.0.0.1:{port}{PATH}"
        # Before the API is served, there is no decision.
        eventually(lambda: client.options(api, headers=preflight).status_code == 200)
        eventually(lambda: counted(health) == 1)
        with traffic(port) as found:
            for number in range(1, 4):
                restart(gateway, number)
        show("3 restarts, counted", found)
        assert not found.failures
        eventually(lambda: counted(health) == 1 + found.responses + found.streams)


def counted(health: int) -> int:
    """How many decisions the metrics show."""
    page = httpx.get(f"http://127.0.0.1:{health}/metrics", trust_env=False, timeout=60).text
    lines = [line for line in page.splitlines() if line.startswith("crossgate_decisions_total{")]
    return sum(int(float(line.rpartition(" ")[2])) for line in lines)


def test_a_control_plane_is_killed_stopped_and_restarted(native: SocketNative, tmp_path: Path) -> None:
    [port] = free_ports(1)
    file = tmp_path / "gateway.yaml"
    file.write_text(DOCUMENT.format(host="127.0.0.1", port=port, native=native.port))
    address = f"unix:{tmp_path}/xds.sock"
    serve = ("serve", str(file), "--xds", address, "--admin", "off", "--health", "off")
    options = ("--control-plane", address, "--id", "n", "--concurrency", "2", "--health", "off")

    def started() -> CommandProcess:
        process = CommandProcess(tmp_path, *serve, before=NO_TERMINAL)
        process.wait_for("Crossgate serves")
        return process

    ends: list[Callable[[CommandProcess], None]] = [CommandProcess.kill, CommandProcess.stop]
    with CommandProcess(tmp_path, "node", *options, before=NO_TERMINAL) as node:
        control_plane = started()
        node.wait_until_envoy_is_ready()
        with traffic(port) as found:
            for end in ends * 3:
                end(control_plane)
                time.sleep(2)
                control_plane = started()
            control_plane.process.send_signal(signal.SIGHUP)
            control_plane.wait_for("Crossgate serves", 2)
            for number in range(1, 6):
                restart(node, number)
        what = (
            "kill -9 and SIGTERM of `crossgate serve`, three times each, its SIGHUP, 5 restarts of the node"
        )
        show(what, found)
        control_plane.stop()
        assert not found.failures


@pytest.mark.parametrize("verb", ["run", "node"])
def test_certificates_are_renewed_during_restarts(native: SocketNative, tmp_path: Path, verb: str) -> None:
    """For a node also while its control plane is dead."""
    [port] = free_ports(1)
    pair = RenewedPair(tmp_path)
    file, address = tmp_path / "gateway.yaml", f"unix:{tmp_path}/xds.sock"
    document = DOCUMENT.format(host="127.0.0.1", port=port, native=native.port)
    tls = f"gateway:\n  tls: {{certificate: {pair.certificate}, key: {pair.key}}}\n"
    file.write_text(document.replace("gateway:\n", tls))
    serve = ("serve", str(file), "--xds", address, "--admin", "off", "--health", "off")
    words = ("run", str(file), "--admin", "off") if verb == "run" else ("node", "--control-plane", address)
    seconds: list[float] = []

    def renew(*envoys: int) -> None:
        began, serial = time.monotonic(), pair.renew()
        eventually(lambda: served(port) == serial)
        seconds.append(round(time.monotonic() - began, 2))
        for one in envoys:
            # The old Envoy may have ended.
            eventually(lambda: not Path(f"/proc/{one}").exists() or held_by(one) == {serial})  # noqa: B023

    with (
        CommandProcess(tmp_path, *serve, before=NO_TERMINAL) as control_plane,
        CommandProcess(
            tmp_path, *words, "--health", "off", "--concurrency", "2", before=NO_TERMINAL
        ) as envoy,
    ):
        envoy.wait_until_envoy_is_ready()
        eventually(lambda: listens(port))
        with traffic(port, tls=True) as found:
            for number in range(1, 5):
                before = envoy.envoy_pid
                envoy.process.send_signal(signal.SIGHUP)
                envoy.wait_for("New connections go to the new Envoy", number)
                # The first renewal meets the drain of the old Envoy.
                renew(before, envoy.envoy_pid)
                renew(envoy.envoy_pid)
                assert wait_for_end(before, 90)
            control_plane.kill()
            for _ in range(3):
                renew(envoy.envoy_pid)
        show(f"4 restarts of `{verb}` with TLS, 11 renewals, served after {seconds} s", found)
        assert not found.failures
        assert "Traceback" not in envoy.output


def listens(port: int) -> bool:
    """Whether somebody accepts connections."""
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    return False


def test_streams_are_cut_when_the_drain_time_ends_and_not_before(tmp_path: Path) -> None:
    pace = Pace(pieces=900, pause=0.1, quiet=0, timeout=120)
    [port] = free_ports(1)
    with pace.native() as long, ThreadPoolExecutor() as pool:
        file = tmp_path / "gateway.yaml"
        file.write_text(DOCUMENT.format(host="127.0.0.1", port=port, native=long.port))
        options = ("--admin", "off", "--health", "off", "--concurrency", "1", "--drain-time", "4")
        with CommandProcess(tmp_path, "run", str(file), *options, before=NO_TERMINAL) as gateway:
            gateway.wait_for("Crossgate serves")
            before = gateway.envoy_pid
            stream = pool.submit(pace.get, "1.1", f"{PATH}/events", ORIGIN, port)
            time.sleep(0.5)
            gateway.process.send_signal(signal.SIGHUP)
            gateway.wait_for("Envoy is draining")
            began = time.monotonic()
            assert wait_for_end(before, 60)
            seconds = time.monotonic() - began
            assert isinstance(stream.exception(), OSError | EOFError | ValueError)
            assert 3.5 < seconds < 20
            assert "Envoy still had requests in progress after 4 s" in gateway.output
