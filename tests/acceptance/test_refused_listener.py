"""An Envoy that starts again, and whose listener is refused, is not ready, although it reports that it is."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path

from tests.command import CommandProcess
from tests.live.faults.document import Document, save
from tests.live.faults.health_checks import Checks
from tests.ports import free_ports


def test_a_node_whose_port_is_taken_when_its_envoy_starts_again(tmp_path: Path) -> None:
    port, native, health = free_ports(3)
    file, checks, xds = tmp_path / "gateway.yaml", Checks(health), f"unix:{tmp_path}/xds.sock"
    document = Document(port, native)
    file.write_text(document.at(1))
    node = ("node", "--control-plane", xds, "--concurrency", "1", *checks.option)
    with (
        CommandProcess(tmp_path, "serve", str(file), "--xds", xds, "--admin", "off") as control_plane,
        CommandProcess(tmp_path, *node) as envoy,
    ):
        checks.wait_for()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            changed = json.loads(document.at(2))
            changed["gateway"]["listen"] = f"127.0.0.1:{taken.getsockname()[1]}"
            save(file, json.dumps(changed))
            control_plane.wait_for("A node rejected part of the configuration")
            checks.wait_for()
            os.kill(envoy.envoy_pid, signal.SIGKILL)
            checks.wait_for("listener-missing")
        save(file, document.at(3))
        checks.wait_for()
