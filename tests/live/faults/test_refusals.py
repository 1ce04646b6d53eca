"""Failures at the start or later: a port in use, or a resource that Envoy rejects."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from tests.command import CommandProcess, running_gateway
from tests.live.faults.document import SIMPLE, Document, save, version_of
from tests.raw_http import http1

pytestmark = pytest.mark.live


def test_a_taken_port_is_reported_with_its_process(document: Document, file: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", document.port)):
        code, output = CommandProcess(tmp_path, "run", str(file)).wait_until_ended()
    assert code == 2
    assert f"port {document.port} is in use by" in output
    assert f"(pid {os.getpid()})" in output
    assert "$.gateway.listen" in output
    assert "Traceback" not in output


def test_a_gateway_on_the_port_of_another_is_refused(file: Path, tmp_path: Path) -> None:
    with running_gateway(file, "--concurrency", "1") as first:
        code, output = CommandProcess(tmp_path, "run", str(file)).wait_until_ended()
        assert code == 2
        assert f"(pid {first.envoy_pid})" in output


def test_what_envoy_rejects_is_reported_and_affects_nothing_else(
    document: Document, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "authorities.pem").write_text("no certificate\n", encoding="utf-8")
    with running_gateway(file, "--concurrency", "1") as gateway, http1(document.port) as connection:
        changed = json.loads(document.at(2, native_ca="authorities.pem"))
        changed["apis"].append(
            {"name": "safe", "version": "1", "type": "rest", "native": "https://127.0.0.1:9"}
        )
        save(file, json.dumps(changed))
        gateway.wait_for("A node rejected part of the configuration")
        gateway.wait_for("node local rejected Cluster native/https/127.0.0.1:9, used by safe/1")
        assert version_of(connection.send(SIMPLE)) == 2

        save(file, document.at(3))
        gateway.wait_for("Change enforced")
        assert version_of(connection.send(SIMPLE)) == 3
        assert gateway.output.count("rejected Cluster") == 1
