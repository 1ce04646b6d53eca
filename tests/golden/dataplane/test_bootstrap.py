"""The bootstraps, byte for byte, and that Envoy takes each of them.

To accept a change: ``CROSSGATE_WRITE_GOLDENS=1 pytest tests/golden/dataplane``, then read the diff.
"""

import os
import subprocess
from pathlib import Path

import pytest

from crossgate.dataplane import binary
from crossgate.dataplane.bootstrap import ControlPlane, HostPort, Limits, Node, UnixSocket, bootstrap

HERE = Path(__file__).parent
ADMIN = Path("/run/crossgate/admin.sock")
BOOTSTRAPS = {
    "local": bootstrap(Node("one"), UnixSocket(Path("/run/crossgate/xds.sock")), ADMIN),
    "remote-by-address": bootstrap(Node("one"), HostPort("::1", 18000), ADMIN),
    "remote-by-name": bootstrap(
        Node("two", "edge", {"crossgate.version": "0.1.0", "zone": "a"}),
        HostPort("control.example.com", 18000),
        ADMIN,
        Limits(heap_bytes=256 << 20, downstream_connections=1000),
    ),
}


@pytest.mark.parametrize("name", BOOTSTRAPS)
def test_the_bytes_are_as_they_were(name: str) -> None:
    golden = HERE / f"{name}.json"
    if os.environ.get("CROSSGATE_WRITE_GOLDENS"):
        golden.write_bytes(BOOTSTRAPS[name])

    assert BOOTSTRAPS[name] == golden.read_bytes()


def test_the_order_of_metadata_does_not_matter() -> None:
    def with_metadata(metadata: dict[str, str]) -> bytes:
        control_plane: ControlPlane = HostPort("::1", 1)
        return bootstrap(Node("one", metadata=metadata), control_plane, ADMIN)

    assert with_metadata({"a": "1", "b": "2"}) == with_metadata({"b": "2", "a": "1"})


@pytest.mark.live
@pytest.mark.parametrize("name", BOOTSTRAPS)
def test_envoy_takes_it(name: str) -> None:
    config = ["--config-path", str(HERE / f"{name}.json")]
    argv = [str(binary.locate()), "--mode", "validate", "--log-level", "warning", *config]
    answer = subprocess.run(argv, capture_output=True, check=False, text=True, timeout=60)

    assert answer.returncode == 0, answer.stderr
    # A deprecated field is only warned of.
    assert answer.stderr == ""
