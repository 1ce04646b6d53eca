"""`/ready` of a gateway and of a node: whether this machine serves clients with a settled configuration."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from examples.natives.http_message import Answer, Request, Response
from examples.natives.service import Service
from tests.command import CommandProcess, running_gateway
from tests.live.faults.document import SIMPLE, Document, save, version_of
from tests.live.faults.health_checks import Checks
from tests.ports import free_ports
from tests.raw_http import http1

pytestmark = pytest.mark.live
_SECONDS = 60.0


@pytest.fixture
def checks() -> Checks:
    return Checks(free_ports(1)[0])


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_ready_while_the_gateway_serves_and_is_settled(
    document: Document, file: Path, checks: Checks
) -> None:
    with running_gateway(file, "--concurrency", "1", *checks.option) as gateway:
        # The line was printed, so the first response is right.
        first = checks.get()
        assert first is not None
        assert (first.status_code, first.json()["status"]) == (200, "ready")
        live = checks.get("/live")
        assert live is not None
        assert live.json() == {"status": "live"}

        os.kill(gateway.envoy_pid, signal.SIGKILL)
        checks.wait_for("envoy-not-ready")
        gateway.wait_until_envoy_is_ready(2)
        checks.wait_for()
        with http1(document.port) as connection:
            assert version_of(connection.send(SIMPLE)) == 1

        with stopped(gateway.envoy_pid):
            save(file, document.at(2))
            checks.wait_for("envoy-unresponsive", "revision-undecided")
        checks.wait_for()

        save(file, "apis: [}")
        gateway.wait_for("Change refused")
        assert [one["code"] for one in checks.wait_for()["warnings"]] == ["source-unreadable"]
        save(file, document.at(3))
        gateway.wait_for("Change enforced", 2)
        assert checks.wait_for()["warnings"] == []
    assert checks.get() is None


def test_not_ready_while_requests_are_finished(file: Path, checks: Checks, document: Document) -> None:
    requested, answer = threading.Event(), threading.Event()

    def hold(_: Request) -> Answer:
        requested.set()
        assert answer.wait(_SECONDS)
        return Response(200, (), b"done")

    with Service("held", hold) as native:
        held = json.loads(document.at(1))
        held["apis"][0]["native"] = f"http://127.0.0.1:{native.port}"
        file.write_text(json.dumps(held))
        with running_gateway(file, "--concurrency", "1", *checks.option) as gateway:
            checks.wait_for()
            with socket.create_connection(("127.0.0.1", document.port)) as client:
                client.sendall(b"GET /gateway/pets/1 HTTP/1.1\r\nHost: a\r\n\r\n")
                assert requested.wait(_SECONDS)
                gateway.process.send_signal(signal.SIGTERM)
                checks.wait_for("stopping")
                gateway.wait_for("Envoy is draining")
                answer.set()
                assert client.recv(65536).startswith(b"HTTP/1.1 200")
            assert gateway.wait_until_ended()[0] == 0


def test_node(file: Path, checks: Checks, document: Document, tmp_path: Path) -> None:
    """It waits for its control plane, serves, and goes on without it."""
    xds = f"unix:{tmp_path}/xds.sock"
    node = ("node", "--control-plane", xds, "--id", "edge", "--concurrency", "1")
    with CommandProcess(tmp_path, *node, *checks.option):
        checks.wait_for("starting")
        with CommandProcess(tmp_path, "run", str(file), "--no-envoy", "--xds", xds) as control_plane:
            control_plane.wait_for("Crossgate serves")
            checks.wait_for()
        with http1(document.port) as connection:
            assert version_of(connection.send(SIMPLE)) == 1
        assert checks.wait_for()["warnings"] == []


def test_a_control_plane_without_envoy_is_ready_when_it_answers_nodes(file: Path, checks: Checks) -> None:
    with running_gateway(file, "--no-envoy", "--xds", f"unix:{file.parent}/xds.sock", *checks.option):
        assert checks.wait_for()["warnings"] == []


def test_a_given_address_that_is_taken_ends_the_start(file: Path, document: Document, tmp_path: Path) -> None:
    taken = CommandProcess(tmp_path, "run", str(file), "--health", f"127.0.0.1:{document.native_port}")
    code, output = taken.wait_until_ended()
    assert (code, "[health-address-taken]" in output) == (2, True)
