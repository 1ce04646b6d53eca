"""A throw-away Prometheus for tests: its own directory and port, with the rules of the project."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from tests.ports import free_ports
from tests.prerequisites import prometheus_bin
from tests.source import ROOT

RULES = ROOT / "deploy" / "prometheus" / "crossgate-rules.yaml"
_SECONDS = 30.0


class Prometheus:
    """A running server."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query; fails if the server does not accept it."""
        found: list[dict[str, Any]] = self._get("/api/v1/query", query=expression)["result"]
        return found

    def metric_names(self) -> set[str]:
        """Every metric that it has scraped or recorded."""
        return {*self._get("/api/v1/label/__name__/values")}

    def wait_for(self, expression: str) -> list[dict[str, Any]]:
        """The first result of the query that is not empty."""
        deadline = time.monotonic() + _SECONDS
        while not (found := self.query(expression)):
            assert time.monotonic() < deadline, f"no result of {expression}"
            time.sleep(0.05)
        return found

    def _get(self, path: str, **parameters: str) -> Any:
        response = self._client.get(path, params=parameters)
        assert response.status_code == 200, response.text
        return response.json()["data"]


@contextmanager
def running_prometheus(folder: Path, target: str) -> Iterator[Prometheus]:
    """A server that scrapes the target and evaluates the rules, each five times a second."""
    configuration = {
        "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "crossgate", "static_configs": [{"targets": [target]}]}],
    }
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    address = f"127.0.0.1:{free_ports(1)[0]}"
    command: list[str | Path] = [
        prometheus_bin() / "prometheus",
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={address}",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://{address}", timeout=_SECONDS, trust_env=False) as client:
            _wait_until_ready(client, process, folder / "prometheus.log")
            yield Prometheus(client)
    finally:
        process.kill()
        process.wait()


def _wait_until_ready(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            if client.get("/-/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
