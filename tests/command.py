"""Runs the command ``crossgate``: in this process, or as a process that can be signalled and killed."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from unittest.mock import patch

import httpx

from crossgate.cli.main import main

ROOT: Final = Path(__file__).parents[1]
COMMAND: Final = (sys.executable, "-m", "crossgate")
_STATE: Final = tempfile.TemporaryDirectory(prefix="crossgate-state-")
"""Gateways with a file keep their tokens in it, and not in the home of the user who runs the tests."""
ENVIRONMENT: Final = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
    "XDG_STATE_HOME": _STATE.name,
}
PROGRAM: Final = str(Path(sys.executable).with_name("crossgate"))
_SECONDS: Final = 90.0
_ENVOY_READY: Final = re.compile(r"^Envoy is ready \(pid ([0-9]+)", re.MULTILINE)
LogLine = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The exit code and the output of a command."""

    returncode: int
    stdout: str
    stderr: str


def crossgate(*arguments: str | Path, cwd: Path = ROOT) -> CommandResult:
    """Run the command in this process, in the given folder."""
    stdout, stderr = io.StringIO(), io.StringIO()
    argv = patch.object(sys, "argv", ["crossgate", *map(str, arguments)])
    with argv, chdir(cwd), redirect_stdout(stdout), redirect_stderr(stderr):
        try:
            main()
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int)
    return CommandResult(code, stdout.getvalue(), stderr.getvalue())


class CommandProcess:
    """A process ``crossgate …`` that the context stops. Its output goes to a file, so it never blocks."""

    def __init__(self, folder: Path, *arguments: str, before: Sequence[str] = ()) -> None:
        """``before`` are the words of a command that runs it; see ``tests/live/faults/apart.py``."""
        self._log = folder / f"{arguments[0]}-{time.monotonic_ns()}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*before, PROGRAM, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=ENVIRONMENT,
                cwd=folder,
            )

    @property
    def written(self) -> bytes:
        """What it has printed."""
        return self._log.read_bytes()

    @property
    def lines(self) -> list[LogLine]:
        """The lines of its log, which must be JSON."""
        return [json.loads(line) for line in self.written.splitlines()]

    @property
    def output(self) -> str:
        """What it has printed, with messages and exceptions in place of JSON."""
        written = self.written.decode(errors="replace")
        complete = written[: written.rfind("\n") + 1]
        return "".join(f"{_shown(line)}\n" for line in complete.splitlines())

    @property
    def envoy_pid(self) -> int:
        """The process id of the Envoy that became ready last."""
        return int(_ENVOY_READY.findall(self.output)[-1])

    def wait_for(self, text: str, times: int = 1, after: int = 0) -> None:
        """Wait until ``text`` appears that often in the output after so many characters.

        Fails if the process ends before, or after a timeout.
        """
        deadline = time.monotonic() + _SECONDS
        while self.output.count(text, after) < times:
            if self._ends_within(0.02) and self.output.count(text, after) < times:
                raise AssertionError(f"exit code {self.process.returncode}:\n{self.output}")
            assert time.monotonic() < deadline, f"no {text!r} in:\n{self.output}"

    def wait_until_envoy_is_ready(self, times: int = 1) -> None:
        """Wait until an Envoy has become ready that often."""
        self.wait_for("Envoy is ready", times)

    def wait_until_ended(self) -> tuple[int, str]:
        """Wait for the process, without a signal; returns its exit code and its output."""
        assert self._ends_within(_SECONDS), f"still running:\n{self.output}"
        return self.process.returncode, self.output

    def envoy_stats(self, pattern: str) -> dict[str, int]:
        """Envoy's counters and gauges whose names match ``pattern``."""
        # Envoy's arguments name its bootstrap, which names its admin interface.
        words = Path(f"/proc/{self.envoy_pid}/cmdline").read_bytes().decode().split("\0")
        bootstrap = json.loads(Path(words[words.index("--config-path") + 1]).read_bytes())
        transport = httpx.HTTPTransport(uds=bootstrap["admin"]["address"]["pipe"]["path"])
        with httpx.Client(transport=transport, base_url="http://envoy") as client:
            stats = client.get("/stats", params={"filter": pattern, "format": "json"}).json()["stats"]
        return {stat["name"]: stat["value"] for stat in stats if isinstance(stat.get("value"), int)}

    def kill(self) -> None:
        """Send SIGKILL, and wait for the process."""
        self.process.kill()
        self.process.wait(_SECONDS)

    def stop(self) -> None:
        """Send SIGTERM, and wait for the process; fails if it does not end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            if not self._ends_within(_SECONDS):
                self.kill()
                raise AssertionError(f"still running after SIGTERM:\n{self.output}")

    def _ends_within(self, seconds: float) -> bool:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _shown(line: str) -> str:
    try:
        read = json.loads(line)
    except ValueError:
        return line
    return "\n".join(filter(None, (read["message"], read.get("details"), read.get("exception"))))


@contextmanager
def running_gateway(file: Path, *options: str) -> Iterator[CommandProcess]:
    """``crossgate run`` with a document, in the document's folder; it serves when the context is entered."""
    with CommandProcess(file.parent, "run", str(file), *options) as process:
        process.wait_for("Crossgate serves")
        yield process
