"""A node whose listener is refused is not ready, although Envoy reports that it is."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.command import CommandProcess
from tests.live.faults.document import Document
from tests.live.faults.health_checks import Checks
from tests.ports import free_ports


def test_a_node_whose_port_is_taken(tmp_path: Path) -> None:
    port, native, health = free_ports(3)
    file, checks, xds = tmp_path / "gateway.yaml", Checks(health), f"unix:{tmp_path}/xds.sock"
    file.write_text(Document(port, native).at(1))
    node = ("node", "--control-plane", xds, "--concurrency", "1", *checks.option)
    with (
        socket.create_server(("127.0.0.1", port)),
        CommandProcess(tmp_path, "run", str(file), "--no-envoy", "--xds", xds) as control_plane,
        CommandProcess(tmp_path, *node),
    ):
        control_plane.wait_for("Crossgate serves")
        checks.wait_for("listener-missing")
