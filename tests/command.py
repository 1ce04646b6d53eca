"""Runs the command ``crossgate`` from its entry point on, or says how to start it as a process."""

from __future__ import annotations

import io
import os
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from crossgate.cli.main import main

_ROOT = Path(__file__).parent.parent
COMMAND = (sys.executable, "-m", "crossgate")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(_ROOT / "src")}


@dataclass(frozen=True, slots=True)
class Done:
    """How the command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def crossgate(*arguments: str | Path, cwd: Path = _ROOT) -> Done:
    """What the command does with these arguments in that folder."""
    stdout, stderr = io.StringIO(), io.StringIO()
    argv = patch.object(sys, "argv", ["crossgate", *map(str, arguments)])
    with argv, chdir(cwd), redirect_stdout(stdout), redirect_stderr(stderr):
        try:
            main()
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int)
    return Done(code, stdout.getvalue(), stderr.getvalue())
