"""The tutorial, done: every file written, every command run, every line of output found."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from examples.servers import Ports, start_native_services
from tests.command import ROOT, running_gateway
from tests.executable_docs import Command, File, steps
from tests.ports import free_ports

PAGE = ROOT / "docs" / "tutorial" / "first-policy.md"
FOLLOWS_SECONDS = 10.0


@pytest.mark.live
def test_every_step_of_the_tutorial(tmp_path: Path) -> None:
    with ExitStack() as stack:
        gateway_port, pets = free_ports(2)
        ports = replace(Ports(stock=0, catalog=0, parcels=0), gateway=gateway_port, pets=pets)
        start_native_services(stack, ports)
        file = tmp_path / "gateway.yaml"
        done = 0
        for step in steps(PAGE):
            match step:
                case File(content):
                    starts = not file.exists()
                    file.write_text(ports.replace_defaults(content), encoding="utf-8")
                    if starts:
                        stack.enter_context(running_gateway(file))
                case Command():
                    _run_until_answered(replace(step, line=ports.replace_defaults(step.line)), tmp_path)
                    done += 1
        assert done == 8


def _run_until_answered(command: Command, folder: Path) -> None:
    """Run it until it says what the page says: a saved file is followed soon, not at once."""
    deadline = time.monotonic() + FOLLOWS_SECONDS
    while True:
        run = subprocess.run(
            ["sh", "-c", command.line],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            cwd=folder,
            env={**os.environ, "no_proxy": "*"},
        )
        if command.matches(run.stdout):
            return
        assert time.monotonic() < deadline, f"{command.line}\n{run.stdout}{run.stderr}"
