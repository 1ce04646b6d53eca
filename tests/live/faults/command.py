"""Verbs of ``crossgate`` as processes of their own, to be killed, and their Envoys found."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import httpx

ROOT = Path(__file__).parents[3]
_PROGRAM = str(Path(sys.executable).with_name("crossgate"))
_SECONDS = 90.0
_READY = re.compile(r"^Envoy is ready \(pid ([0-9]+)", re.MULTILINE)


class Command:
    """One ``crossgate …``; its output goes to a file, so that it goes on though nobody reads."""

    def __init__(self, folder: Path, *arguments: str, before: Sequence[str] = ()) -> None:
        """``before`` are the words before the command, of something that runs it; see ``apart.py``."""
        self._log = folder / f"{arguments[0]}-{time.monotonic_ns()}.log"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*before, _PROGRAM, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
            )

    @property
    def output(self) -> str:
        """Everything it printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def envoy(self) -> int:
        """The process id of the Envoy that became ready last."""
        return int(_READY.findall(self.output)[-1])

    def wait_for(self, text: str, times: int = 1, after: int = 0) -> None:
        """Return once it has printed ``text`` that often, after so many characters of output.

        Fails if it ends before, or takes too long.
        """
        deadline = time.monotonic() + _SECONDS
        while self.output.count(text, after) < times:
            if self._ended_within(0.02) and self.output.count(text, after) < times:
                raise AssertionError(f"it ended with {self.process.returncode}:\n{self.output}")
            assert time.monotonic() < deadline, f"no {text!r} in:\n{self.output}"

    def wait_until_ready(self, times: int = 1) -> None:
        """Return once its Envoy has become ready that often."""
        self.wait_for("Envoy is ready", times)

    def refusal(self) -> tuple[int, str]:
        """Its exit code and what it said, when it is expected to end by itself."""
        assert self._ended_within(_SECONDS), f"it goes on:\n{self.output}"
        return self.process.returncode, self.output

    def envoy_stats(self, pattern: str) -> dict[str, int]:
        """Counters and gauges of its Envoy whose name ``pattern`` finds."""
        # Its command line says where its bootstrap is, and that where its admin interface is.
        words = Path(f"/proc/{self.envoy}/cmdline").read_bytes().decode().split("\0")
        bootstrap = json.loads(Path(words[words.index("--config-path") + 1]).read_bytes())
        transport = httpx.HTTPTransport(uds=bootstrap["admin"]["address"]["pipe"]["path"])
        with httpx.Client(transport=transport, base_url="http://envoy") as client:
            stats = client.get("/stats", params={"filter": pattern, "format": "json"}).json()["stats"]
        return {stat["name"]: stat["value"] for stat in stats if isinstance(stat.get("value"), int)}

    def kill(self) -> None:
        """End it as nothing can prevent, and return when it is gone."""
        self.process.kill()
        self.process.wait(_SECONDS)

    def stop(self) -> None:
        """Ask it to end; fail if it does not."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            if not self._ended_within(_SECONDS):
                self.kill()
                raise AssertionError(f"it did not end on SIGTERM:\n{self.output}")

    def _ended_within(self, seconds: float) -> bool:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@contextmanager
def running(folder: Path, file: Path, *options: str) -> Iterator[Command]:
    """``crossgate run`` with its Envoy, serving."""
    with Command(folder, "run", str(file), *options) as command:
        command.wait_for("Crossgate serves")
        yield command
