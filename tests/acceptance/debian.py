"""Root file systems of Debian, from the package archive that this machine uses, without an image registry."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from tests.prerequisites import program

_CACHE: Final = Path(__file__).parents[2] / ".cache"
_SCRIPT: Final = "/usr/share/debootstrap/scripts/sid"
"""That of a release that is newer than this machine's debootstrap is the same."""


def root_archive(suite: str, *packages: str) -> Path:
    """A tar file of the release with its essential packages and these; made once, in some minutes."""
    debootstrap = program("debootstrap")
    archive = _CACHE / f"debian-{'-'.join((suite, *packages))}.tar"
    if not archive.exists():
        _CACHE.mkdir(exist_ok=True)
        root = archive.with_suffix(".root")
        include = [f"--include={','.join(packages)}"] if packages else []
        try:
            _run(
                str(debootstrap), "--variant=minbase", *include, suite, str(root), _package_archive(), _SCRIPT
            )
            left_out = ["--exclude=./var/cache/apt/archives/*.deb", "--exclude=./var/lib/apt/lists/*"]
            _run("tar", "-C", str(root), *left_out, "-cf", f"{archive}.new", ".")
            Path(f"{archive}.new").rename(archive)
        finally:
            subprocess.run(["rm", "-rf", str(root)], check=True)
    return archive


def _package_archive() -> str:
    lines = _run("apt-get", "indextargets", "--format", "$(REPO_URI)").splitlines()
    return lines[0]


def _run(*command: str) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    return ran.stdout
