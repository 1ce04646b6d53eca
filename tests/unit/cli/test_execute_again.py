"""A process that executes its next program, when that cannot be executed at first."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROCESS = """
import os, sys, threading
from crossgate.cli.restart import execute_again
from crossgate.dataplane.handover import EnvoyHandover, Handover

log, write = os.pipe()

def log_much():
    os.write(write, bytes(1 << 17))
    print("logged", flush=True)

threading.Thread(target=log_much, daemon=True).start()
sys.argv = [sys.argv[1]]
execute_again(Handover((EnvoyHandover(os.getpid(), "envoy", 1, "", log),)), None).execute()
"""
NEXT = '#!/bin/sh\necho "next program, in process $$"\n'
_SECONDS = 60


@pytest.fixture
def script(tmp_path: Path) -> Path:
    script = tmp_path / "crossgate"
    script.write_text(f"#!{tmp_path}/missing-interpreter\n")
    script.chmod(0o755)
    return script


def started(script: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "cannot be executed: No such file or directory. Envoy goes on serving" in process.stderr.readline()
    return process


def test_it_is_tried_until_the_upgrade_is_complete(script: Path) -> None:
    process = started(script)
    assert process.stdout is not None
    assert process.stdout.readline() == "logged\n"
    complete = script.with_name("complete")
    complete.write_text(NEXT)
    complete.chmod(0o755)
    complete.rename(script)
    output, errors = process.communicate(timeout=_SECONDS)
    assert (process.returncode, output, errors) == (0, f"next program, in process {process.pid}\n", "")


def test_a_signal_to_stop_ends_the_process(script: Path) -> None:
    process = started(script)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=_SECONDS)
    # By the signal itself, if it comes before the program handles it.
    assert process.returncode in (128 + signal.SIGTERM, -signal.SIGTERM)
