"""The compose file: control plane, node and PostgreSQL. A killed control plane takes no traffic along."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.acceptance.container.podman import FOLDER, IMAGE, POSTGRESQL, Podman, wait_until
from tests.acceptance.container.test_image import free_port, wait_for_status

pytestmark = pytest.mark.acceptance

API = "/apis/petstore/1.0"


@dataclass(frozen=True, slots=True)
class Project:
    """The running services."""

    podman: Podman
    listener: int
    admin: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener}/gateway/petstore/1.0/"

    def create_token(self) -> str:
        command = ["crossgate", "token", "create", "operator", "--role=admin", "--json"]
        printed = self.podman("exec", "crossgate_control-plane_1", *command)
        return str(json.loads(printed)["secret"])

    def is_live(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.admin}/live", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture
def project(podman: Podman, tmp_path: Path) -> Iterator[Project]:
    folder = tmp_path / "container"
    shutil.copytree(FOLDER, folder)
    subprocess.run([folder / "make-secrets"], check=True)
    project = Project(podman, free_port(), free_port())
    variables = {
        "CROSSGATE_IMAGE": IMAGE,
        "POSTGRESQL_IMAGE": POSTGRESQL,
        "CROSSGATE_PORT": str(project.listener),
        "CROSSGATE_ADMIN_PORT": str(project.admin),
    }
    file = folder / "compose.yaml"
    podman.compose(file, "up", "--detach", **variables)
    podman.run_native("crossgate_default")
    yield project
    podman("rm", "--force", "--time=1", "native-crossgate_default")
    podman.compose(file, "down", "--volumes", "--timeout=1", **variables)


def test_a_control_plane_that_is_killed_takes_no_traffic_along(project: Project) -> None:
    podman = project.podman
    wait_until(project.is_live)
    token = project.create_token()
    api = {"type": "rest", "native": "http://pets:8000"}
    cors = {"allowed_origins": ["https://shop.example.com"], "allowed_methods": ["GET"]}
    with httpx.Client(
        base_url=f"http://127.0.0.1:{project.admin}/v1",
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    ) as admin:
        admin.put(API, json={**api, "cors": cors}, headers={"If-None-Match": "*"}).raise_for_status()
        wait_until(lambda: wait_for_status(project.url, "https://shop.example.com") == 200)
        assert wait_for_status(project.url, "https://other.example.com") == 403

        with _load(project.url) as statuses:
            control_plane = podman.inspect("crossgate_control-plane_1")["State"]["Pid"]
            os.kill(control_plane, signal.SIGKILL)
            wait_until(lambda: not project.is_live())
            podman("start", "crossgate_control-plane_1")
            wait_until(project.is_live)
        assert set(statuses) == {200}, statuses

        changed = {**api, "cors": {**cors, "allowed_origins": ["https://other.example.com"]}}
        admin.put(API, json=changed, headers={"If-Match": "*"}).raise_for_status()
        wait_until(lambda: wait_for_status(project.url, "https://other.example.com") == 200)
    podman("stop", "--time=75", "crossgate_node_1")
    assert podman.inspect("crossgate_node_1")["State"]["ExitCode"] == 0


class _load:  # noqa: N801 - a context manager, used as a function
    """Sends requests until the context ends; the value lists their statuses, and errors as 0."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._statuses: list[int] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def _send(self) -> None:
        with httpx.Client(headers={"Origin": "https://shop.example.com"}, trust_env=False) as client:
            while not self._stop.is_set():
                try:
                    self._statuses.append(client.get(self._url).status_code)
                except httpx.TransportError:
                    self._statuses.append(0)

    def __enter__(self) -> list[int]:
        self._thread.start()
        return self._statuses

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
