"""The image, built and run without a daemon: not as root, without write access, capabilities or a shell."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import httpx
import pytest
from tests.acceptance.container.podman import IMAGE, Podman

import crossgate

pytestmark = pytest.mark.acceptance

SHELLS = ("/usr/bin/dash", "/usr/bin/bash")
DOCUMENT = """
gateway: {listen: "0.0.0.0:8080"}
apis:
  - name: petstore
    version: "1.0"
    type: rest
    native: http://pets:8000
    cors: {allowed_origins: ["https://shop.example.com"], allowed_methods: [GET]}
"""
HARDENING = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")


def test_the_image_is_configured(podman: Podman) -> None:
    configuration = podman.inspect(IMAGE)["Config"]
    assert configuration["User"] == "65532:65532"
    assert configuration["StopSignal"] == "SIGTERM"
    assert configuration["Entrypoint"] == ["/opt/crossgate/bin/crossgate"]
    assert list(configuration["Volumes"]) == ["/var/lib/crossgate"]
    assert configuration["Labels"]["org.opencontainers.image.version"] == crossgate.__version__
    assert podman.inspect(IMAGE)["Healthcheck"]["Test"][0] == "CMD"
    assert podman("run", "--rm", IMAGE, "--version").split()[-1] == crossgate.__version__


def test_nothing_that_builds_is_in_the_image(podman: Podman) -> None:
    listing = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    installed = podman("run", "--rm", "--entrypoint=/opt/crossgate/bin/python", IMAGE, "-c", listing).split()
    assert "crossgate" in installed
    assert not {"pip", "setuptools", "hatchling", "editables", "uv"} & set(installed)


def test_a_gateway_serves_without_write_access_or_a_shell(podman: Podman, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "gateway.yaml").write_text(DOCUMENT)
    listener = free_port()
    podman("network", "create", "gateway")
    podman.run_native("gateway")
    shells = [f"--volume=/dev/null:{shell}:ro" for shell in SHELLS]
    document = f"--volume={tmp_path}:/etc/crossgate:ro"
    place = ["--name=gateway", "--network=gateway", f"--publish=127.0.0.1:{listener}:8080"]
    podman(
        "run", "--detach", *place, *HARDENING, *shells, document, IMAGE, "run", "/etc/crossgate/gateway.yaml"
    )
    url = f"http://127.0.0.1:{listener}/gateway/petstore/1.0/"
    assert wait_for_status(url, "https://shop.example.com") == 200
    assert wait_for_status(url, "https://evil.example.org") == 403
    podman("healthcheck", "run", "gateway")
    added = [line for line in podman("diff", "gateway").splitlines() if line.startswith("A")]
    podman("stop", "--time=60", "gateway")
    assert podman.inspect("gateway")["State"]["ExitCode"] == 0, podman("logs", "gateway")
    # The engine adds the places that it mounts.
    assert [line for line in added if not line.startswith(("A /etc/crossgate", "A /run"))] == []


def wait_for_status(url: str, origin: str) -> int:
    """The status of the first response; none within two minutes is a failure."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return httpx.get(url, headers={"Origin": origin}, trust_env=False, timeout=10).status_code
        except httpx.TransportError:
            assert time.monotonic() < deadline, url
            time.sleep(0.05)


def free_port() -> int:
    """A port that nothing listens on; the engine publishes it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
