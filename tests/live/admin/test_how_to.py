"""The how-to, done by a new user: every command run, every line of output found."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.command import ROOT
from tests.executable_docs import Command as Documented
from tests.executable_docs import File, steps
from tests.live.admin.store_gateway import store_gateway
from tests.native_services import ScriptedNative
from tests.ports import free_ports

from crossgate.catalogue.document import read_document

PAGES = ROOT / "docs" / "how-to"
_SECONDS = 20.0


@pytest.mark.live
@pytest.mark.parametrize(
    ("page", "commands"),
    [
        ("manage-with-the-api.md", 28),
        ("monitor.md", 3),
        ("observe-then-enforce.md", 21),
        ("production.md", 3),
        ("see-refusals.md", 13),
        ("teams.md", 11),
        ("deploy-from-git.md", 8),
    ],
)
def test_how_to_page_runs_as_written(page: str, commands: int, tmp_path: Path) -> None:
    [health] = free_ports(1)
    with (
        ScriptedNative() as native,
        store_gateway(tmp_path, "--data", "data", "--health", f"127.0.0.1:{health}") as gateway,
    ):
        environment = {
            **os.environ,
            "CROSSGATE_TOKEN": gateway.token,
            "CROSSGATE_SERVER": gateway.url,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT / "src"),
            "no_proxy": "*",
        }
        moves = {
            "http://127.0.0.1:8090": gateway.url,
            "127.0.0.1:8091": f"127.0.0.1:{health}",
            "127.0.0.1:8000": f"127.0.0.1:{gateway.port}",
            "127.0.0.1:9101": f"127.0.0.1:{native.port}",
        }
        done = 0
        for step in steps(PAGES / page):
            if isinstance(step, File):
                named = re.match(r"# (\S+\.yaml)\n", step.content)
                file = tmp_path / (named[1] if named else "gateway.yaml")
                # Files of a directory are read together, by the commands of the page.
                assert file.parent != tmp_path or read_document(step.content).catalogue is not None
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(_replaced(step.content, moves), encoding="utf-8")
                continue
            _run(_moved(step, moves), tmp_path, environment)
            done += 1
        assert done == commands


def _moved(step: Documented, moves: dict[str, str]) -> Documented:
    output = tuple(_replaced(line, moves) for line in step.output)
    return Documented(_replaced(step.line, moves), output)


def _replaced(text: str, moves: dict[str, str]) -> str:
    for before, after in moves.items():
        text = text.replace(before, after)
    return text


def _run(step: Documented, folder: Path, environment: dict[str, str]) -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        ran = subprocess.run(
            ["sh", "-c", step.line],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=folder,
            env=environment,
        )
        if step.matches(ran.stdout):
            return
        assert time.monotonic() < deadline, f"{step.line}\n{ran.stdout}{ran.stderr}"
