"""The example as a process of its own, as `make run` starts it, on ports and in a folder of the caller."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path

from examples.servers import Ports
from tests.command import ROOT

SECONDS = 60.0
STARTED = "Requests that reach a native service"
_PROGRAM = """
import sys
from pathlib import Path
from examples.servers import Ports
from examples.run import run
sys.exit(run(Ports(*map(int, sys.argv[3:])), Path(sys.argv[1]), Path(sys.argv[2])))
"""
_LINK = re.compile(r"http://\S+#once=\S+")


@contextmanager
def running_example(folder: Path, ports: Ports) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The process, and the file with what it prints. Its data is in ``folder / "data"``."""
    file, log = folder / "gateway.yaml", folder / "log"
    file.write_text(ports.configuration(), encoding="utf-8")
    numbers = [str(port) for port in astuple(ports)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(file), str(folder / "data"), *numbers],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        )
    try:
        yield process, log
    finally:
        process.terminate()
        process.wait(SECONDS)


def wait_for(process: subprocess.Popen[bytes], log: Path, text: str) -> str:
    """What was printed, once ``text`` is in it."""
    deadline = time.monotonic() + SECONDS
    while text not in (printed := log.read_text(encoding="utf-8")):
        assert time.monotonic() < deadline, printed
        assert process.poll() is None, printed
        time.sleep(0.05)
    return printed


def console_link(printed: str) -> str:
    """The one-time link that the example prints."""
    found = _LINK.search(printed)
    assert found is not None, printed
    return found[0]
