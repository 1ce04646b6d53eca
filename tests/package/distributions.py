"""Builds the source distribution and the wheel, as an upload would be."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Distributions:
    """The two files, and the folder that the source distribution was unpacked to."""

    sdist: Path
    wheel: Path
    """Built from the source distribution."""
    unpacked: Path


def build_distributions(folder: Path) -> Distributions:
    """Build the source distribution from the tree, and the wheel from the source distribution."""
    sdist = build("sdist", ROOT, folder)
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    unpacked = folder / sdist.name.removesuffix(".tar.gz")
    return Distributions(sdist, build("wheel", unpacked, folder), unpacked)


def build(target: str, source: Path, folder: Path) -> Path:
    """Build the ``sdist`` or ``wheel`` of ``source`` into ``folder``."""
    before = set(folder.iterdir())
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    ran = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    (built,) = set(folder.iterdir()) - before
    return built
