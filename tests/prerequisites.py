"""What the tests run that no Python package brings: there, or the test is skipped for all to see.

``scripts/prerequisites`` installs them. With ``CI=true`` a missing one is a failure, not a skip.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def chromium() -> Path:
    """Debian's Chromium, or the one that ``CROSSGATE_CHROMIUM`` names."""
    return _required("chromium", Path(os.environ.get("CROSSGATE_CHROMIUM", "/usr/bin/chromium")))


def postgresql_bin() -> Path:
    """PostgreSQL's programs: the folder ``CROSSGATE_POSTGRESQL_BIN``, or that of the newest version here."""
    named = os.environ.get("CROSSGATE_POSTGRESQL_BIN")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    folder = Path(named) if named else found[-1] if found else Path("/usr/lib/postgresql")
    return _required("postgresql", folder / "postgres").parent


def _required(name: str, path: Path) -> Path:
    if os.access(path, os.X_OK):
        return path
    raise lacking(f"{path} is not there: run scripts/prerequisites {name}")


def lacking(message: str) -> BaseException:
    """What a test raises for what the machine lacks: it is skipped, and under CI fails."""
    return (pytest.fail if os.environ.get("CI") == "true" else pytest.skip).Exception(message)
