"""A real ``crossgate run`` for tests: ready when the block begins, gone after it."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMAND = (str(Path(sys.executable).with_name("crossgate")), "run")
_LISTEN = re.compile(r"""\blisten"?:\s*["']?([0-9.]+):([0-9]+)""")
_START_SECONDS = 30.0
_STOP_SECONDS = 30.0


class Gateway:
    """One running gateway; ``file`` is the configuration it follows, ``log`` what it prints."""

    def __init__(self, configuration: str, folder: Path, *options: str) -> None:
        listen = _LISTEN.search(configuration)
        assert listen, "the configuration of a test names the gateway's listen address"
        self.host, self.port = listen[1], int(listen[2])
        self.file = folder / "gateway.yaml"
        self.log = folder / "gateway.log"
        self.file.write_text(configuration, encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
        # Its output goes to a file: nobody need read a pipe for the gateway not to stand still.
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*COMMAND, str(self.file), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
            )

    @property
    def url(self) -> str:
        """Scheme, host and port of its listener."""
        return f"http://{self.host}:{self.port}"

    @property
    def output(self) -> str:
        """Everything it printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_until_ready(self) -> None:
        """Return once it answers HTTP; fail with its output if it ends before or takes too long."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._answers():
                return
            if self._ended_within(0.05):
                raise AssertionError(f"the gateway ended with {self.process.returncode}:\n{self.output}")
        raise AssertionError(f"the gateway is not ready after {_START_SECONDS} s:\n{self.output}")

    def stop(self) -> int:
        """Ask it to end and wait for it; its exit code. Kills it when it does not end in time, and fails."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            if not self._ended_within(_STOP_SECONDS):
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"the gateway did not end on SIGTERM:\n{self.output}")
        return self.process.returncode

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=1)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        else:
            return True
        finally:
            connection.close()

    def _ended_within(self, seconds: float) -> bool:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


@contextmanager
def running_gateway(configuration: str, folder: Path, *options: str) -> Iterator[Gateway]:
    """A gateway serving ``configuration`` (which names its ``listen`` address) from a file in ``folder``."""
    gateway = Gateway(configuration, folder, *options)
    try:
        gateway.wait_until_ready()
        yield gateway
    finally:
        gateway.stop()
