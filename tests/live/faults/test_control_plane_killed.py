"""The control plane is killed: traffic goes on, and afterwards only differences are sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.command import CommandProcess
from tests.live.faults.document import PREFLIGHT, SIMPLE, Document, save, version_of
from tests.live.faults.load import load

pytestmark = pytest.mark.live

RECEIVED = "cluster.crossgate-control-plane.upstream_cx_rx_bytes_total"


@pytest.fixture
def document(document: Document) -> Document:
    """So many APIs that the number of bytes shows whether all of them were sent or one."""
    return Document(document.port, document.native_port, others=300)


def control_plane(folder: Path, file: Path) -> CommandProcess:
    return CommandProcess(folder, "serve", str(file), "--xds", f"unix:{folder}/xds.sock")


def node(folder: Path) -> CommandProcess:
    return CommandProcess(
        folder, "node", "--control-plane", f"unix:{folder}/xds.sock", "--id", "n", "--concurrency", "1"
    )


def test_traffic_goes_on_and_then_only_differences_are_sent(
    document: Document, file: Path, tmp_path: Path
) -> None:
    with node(tmp_path) as envoy:
        envoy.wait_for("stream to crossgate-control-plane closed")
        with control_plane(tmp_path, file) as first:
            # The node was started first; it serves when its control plane runs.
            envoy.wait_until_envoy_is_ready()
            with load(document.port, (PREFLIGHT, SIMPLE), version_of) as traffic:
                everything = envoy.envoy_stats(RECEIVED)[RECEIVED]
                first.kill()
                traffic.wait_for_more(100)

                save(file, document.at(2))
                with control_plane(tmp_path, file):
                    traffic.wait_for(2)
                    received = envoy.envoy_stats(RECEIVED)[RECEIVED] - everything
                    traffic.wait_for_more(100)
    assert everything > 300 * 1000
    assert 0 < received < 20_000


def test_a_gateway_without_envoy_is_a_control_plane_too(
    document: Document, file: Path, tmp_path: Path
) -> None:
    with CommandProcess(
        tmp_path, "run", str(file), "--no-envoy", "--xds", f"unix:{tmp_path}/xds.sock"
    ) as one:
        one.wait_for("Crossgate serves")
        with node(tmp_path) as envoy:
            envoy.wait_until_envoy_is_ready()
            with load(document.port, (PREFLIGHT, SIMPLE), version_of) as traffic:
                traffic.wait_for_more(1)


def test_a_second_control_plane_reports_that_the_socket_is_taken(file: Path, tmp_path: Path) -> None:
    with control_plane(tmp_path, file) as first:
        first.wait_for("Crossgate serves")
        code, output = control_plane(tmp_path, file).wait_until_ended()
    assert code == 2
    assert "another control plane listens on the socket" in output
    assert "Traceback" not in output
