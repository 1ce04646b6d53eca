"""A node whose first listener cannot be served ends, and says why; without a control plane it waits."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from tests.certificates import every_pair
from tests.command import CommandProcess
from tests.live.faults.document import SIMPLE, Document, save, version_of
from tests.live.faults.health_checks import Checks
from tests.ports import free_ports
from tests.raw_http import http1

pytestmark = pytest.mark.live


def control_plane(folder: Path, file: Path) -> CommandProcess:
    return CommandProcess(folder, "serve", str(file), "--xds", f"unix:{folder}/xds.sock", "--admin", "off")


def node(folder: Path, *options: str) -> CommandProcess:
    xds = f"unix:{folder}/xds.sock"
    return CommandProcess(folder, "node", "--control-plane", xds, "--concurrency", "1", *options)


def test_a_port_that_is_taken_ends_the_start(document: Document, file: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", document.port)), control_plane(tmp_path, file):
        code, output = node(tmp_path).wait_until_ended()
    assert code == 2
    assert f"$.gateway.listen: error: port {document.port} is in use by" in output
    assert f"(pid {os.getpid()})" in output
    assert "Traceback" not in output


def test_a_certificate_that_cannot_be_served_ends_the_start(
    document: Document, file: Path, tmp_path: Path
) -> None:
    changed = json.loads(document.at(1))
    changed["gateway"]["tls"] = {
        "certificate": str(tmp_path / "gateway.pem"),
        "key": str(tmp_path / "gateway.key"),
    }
    save(file, json.dumps(changed))
    every_pair()["a certificate of another key"][0].write(tmp_path)
    with control_plane(tmp_path, file):
        code, output = node(tmp_path).wait_until_ended()
    assert code == 2
    assert "$.gateway" in output
    assert "gateway.pem" in output or "gateway.key" in output
    assert "Traceback" not in output


def test_a_client_certificate_that_is_missing_ends_no_start(
    document: Document, file: Path, tmp_path: Path
) -> None:
    """One partner's API fails, and all others are served."""
    changed = json.loads(document.at(1))
    missing = {"certificate": str(tmp_path / "partner.pem"), "key": str(tmp_path / "partner.key")}
    changed["gateway"]["native_client_certificates"] = [{"hosts": ["partner.example"], **missing}]
    changed["apis"].append({**changed["apis"][0], "name": "partner", "native": "https://partner.example"})
    save(file, json.dumps(changed))
    with control_plane(tmp_path, file), node(tmp_path) as envoy:
        envoy.wait_for("serves clients")
        assert "partner.pem" in envoy.output
        with http1(document.port) as connection:
            assert version_of(connection.send(SIMPLE)) == 1


def test_a_refused_listener_after_the_start_ends_no_node(
    document: Document, file: Path, tmp_path: Path
) -> None:
    """The last good one serves."""
    (health,) = free_ports(1)
    checks = Checks(health)
    with control_plane(tmp_path, file) as plane, node(tmp_path, *checks.option) as envoy:
        envoy.wait_until_envoy_is_ready()
        checks.wait_for()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            changed = json.loads(document.at(2))
            changed["gateway"]["listen"] = f"127.0.0.1:{taken.getsockname()[1]}"
            save(file, json.dumps(changed))
            plane.wait_for("A node rejected part of the configuration")
            with http1(document.port) as connection:
                assert version_of(connection.send(SIMPLE)) == 2
        checks.wait_for()
