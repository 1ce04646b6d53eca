"""The middleware loads the engine, and nothing that the base installation lacks."""

from __future__ import annotations

import os
import subprocess
import sys

LISTING = (
    "import sys; before = set(sys.modules); import crossgate.middleware; print(*(set(sys.modules) - before))"
)


def test_importing_it_loads_the_engine_and_re2_only() -> None:
    environ = {"PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", LISTING], env=environ, capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {name.partition(".")[0] for name in ran.stdout.split()}
    assert loaded - set(sys.stdlib_module_names) == {"crossgate", "re2"}
    packages = {name.split(".")[1] for name in ran.stdout.split() if name.startswith("crossgate.")}
    assert packages == {"diagnostics", "middleware", "policy", "record"}
