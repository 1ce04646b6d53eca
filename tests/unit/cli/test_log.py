"""The log of the verbs that serve."""

from __future__ import annotations

import subprocess
import sys

FAILING = """
from crossgate.cli.process import log_to_stderr
from crossgate.service.log import Log

def route(secret):
    raise RuntimeError("the cause")

log_to_stderr()
try:
    route("cgt_" + "x" * 43)
except RuntimeError:
    Log("admin").exception("The admin API failed", method="GET")
"""


def test_error_is_logged_with_its_cause_and_without_local_variables() -> None:
    done = subprocess.run([sys.executable, "-c", FAILING], capture_output=True, text=True, check=True)

    assert "The admin API failed" in done.stderr
    assert "RuntimeError: the cause" in done.stderr
    assert "cgt_xxxx" not in done.stderr
