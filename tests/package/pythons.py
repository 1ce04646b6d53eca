"""The Pythons of this machine that Crossgate supports; as a program, prints their paths.

They are found in ``CROSSGATE_PYTHONS`` (paths of interpreters, separated by colons), on the PATH, and among
pyenv's versions. ``make acceptance`` has a root file system for a version that a machine lacks.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

SUPPORTED: Final = ("3.11", "3.12", "3.13", "3.14")


@cache
def found_pythons() -> dict[str, Path]:
    """The supported versions that are here, and their interpreters; always that of the environment."""
    here = {".".join(map(str, sys.version_info[:2])): Path(sys.executable)}
    return here | {version: path for version in SUPPORTED if version not in here for path in _first(version)}


def _first(version: str) -> list[Path]:
    return [path for path in _candidates(version) if _version(path) == version][:1]


def _candidates(version: str) -> Iterator[Path]:
    yield from map(Path, filter(None, os.environ.get("CROSSGATE_PYTHONS", "").split(":")))
    on_path = shutil.which(f"python{version}")
    if on_path is not None:
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)


def _version(python: Path) -> str:
    """Such as ``3.12``; empty if it can't run, as a shim of pyenv without its version."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        ran = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""


if __name__ == "__main__":
    for found in found_pythons().values():
        sys.stdout.write(f"{found}\n")
