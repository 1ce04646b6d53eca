"""The wheel with each extra on the supported Pythons that this machine lacks, in root file systems of Debian.

The release of Debian that is in the making has the newest Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.acceptance.debian import root_archive
from tests.package.distributions import ROOT, build_distributions
from tests.package.installation import EXTRAS, PROGRAMS, UV
from tests.package.pythons import SUPPORTED, found_pythons

import crossgate

pytestmark = pytest.mark.acceptance

SUITES: Final = {"3.11": "bookworm", "3.13": "trixie", "3.14": "forky"}
"""No release of Debian has 3.12."""
MISSING: Final = [version for version in SUITES if version not in found_pythons()] or [SUPPORTED[-1]]


@pytest.fixture(scope="module", params=MISSING)
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A root file system with the Python, the wheel, and the packages of the lock."""
    version = request.param
    folder = tmp_path_factory.mktemp("root")
    root = folder / f"python{version}"
    root.mkdir()
    archive = root_archive(SUITES[version], "ca-certificates", f"python{version}", f"python{version}-venv")
    subprocess.run(["tar", "-C", str(root), "-xf", str(archive)], check=True)
    distributions = build_distributions(folder)
    work = root / "work"
    shutil.copytree(PROGRAMS, work)
    shutil.copy(distributions.wheel, work)
    shutil.copy(ROOT / "requirements.lock", work)
    shutil.copy(UV, work)
    # The packages for this Python, fetched from outside of the root.
    cache = {**os.environ, "UV_CACHE_DIR": str(work / "cache"), "UV_NO_CONFIG": "1"}
    lock = ["--require-hashes", "--requirement", str(ROOT / "requirements.lock")]
    target = ["--python-version", version, "--target", str(folder / "fetched")]
    subprocess.run([UV, "pip", "install", "--quiet", *lock, *target], check=True, env=cache)
    yield root
    shutil.rmtree(root)


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_does_what_it_is_for(extra: str, root: Path) -> None:
    version = root.name
    wheel = f"/work/crossgate-{crossgate.__version__}-py3-none-any.whl"
    wanted = wheel if extra == "base" else f"{wheel}[{extra}]"
    _in_root(root, "/work/uv", "venv", "--python", f"/usr/bin/{version}", f"/work/{extra}")
    install = [
        "pip",
        "install",
        "--constraints",
        "/work/requirements.lock",
        "--python",
        f"/work/{extra}",
        wanted,
    ]
    _in_root(root, "/work/uv", *install)
    printed = _in_root(root, f"/work/{extra}/bin/python", "-I", f"/work/{extra}.py")
    assert printed.strip() == crossgate.__version__


def _in_root(root: Path, *command: str) -> str:
    """Run a command in the root, with a mount namespace of its own for /proc and /dev."""
    mounts = 'for name in proc dev; do mount --rbind /$name "$0/$name"; done; exec chroot "$0" "$@"'
    clean = ["env", "-i", "HOME=/work", "PATH=/usr/bin:/bin", "UV_CACHE_DIR=/work/cache", "UV_OFFLINE=1"]
    inside = [*clean, "sh", "-ec", 'cd /work; exec "$0" "$@"', *command]
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", mounts, str(root), *inside],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
