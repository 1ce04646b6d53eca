"""Programs that tests need and no Python package installs. A test without its program is skipped.

``scripts/prerequisites`` installs them. With ``CI=true`` a missing program is a failure.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def chromium() -> Path:
    """Path of Chromium: ``CROSSGATE_CHROMIUM``, or Debian's."""
    return _required("chromium", Path(os.environ.get("CROSSGATE_CHROMIUM", "/usr/bin/chromium")))


def postgresql_bin() -> Path:
    """The folder of PostgreSQL's programs: ``CROSSGATE_POSTGRESQL_BIN``, or the newest installed version."""
    named = os.environ.get("CROSSGATE_POSTGRESQL_BIN")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    folder = Path(named) if named else found[-1] if found else Path("/usr/lib/postgresql")
    return _required("postgresql", folder / "postgres").parent


def prometheus_bin() -> Path:
    """The folder of ``prometheus`` and ``promtool``: ``CROSSGATE_PROMETHEUS_BIN``, or Debian's."""
    folder = Path(os.environ.get("CROSSGATE_PROMETHEUS_BIN", "/usr/bin"))
    _required("prometheus", folder / "prometheus")
    return _required("prometheus", folder / "promtool").parent


def systemd_analyze() -> Path:
    """The program that verifies and rates units."""
    return _required("systemd", Path("/usr/bin/systemd-analyze"))


def tomcat_home() -> Path:
    """The folder of Tomcat 10: ``CROSSGATE_TOMCAT_HOME``, or Debian's."""
    home = Path(os.environ.get("CROSSGATE_TOMCAT_HOME", "/usr/share/tomcat10"))
    return _existing("tomcat10", home / "bin" / "bootstrap.jar").parents[1]


def jetty_home() -> Path:
    """The folder of Jetty 9: ``CROSSGATE_JETTY_HOME``, or Debian's."""
    home = Path(os.environ.get("CROSSGATE_JETTY_HOME", "/usr/share/jetty9"))
    return _existing("jetty9", home / "start.jar").parent


def program(name: str) -> Path:
    """A program of the package of that name, which only root can use: ``podman`` or ``debootstrap``."""
    if os.geteuid() != 0:
        raise missing_prerequisite(f"{name} needs root here")
    return _required(name, Path(shutil.which(name) or f"/usr/bin/{name}"))


def java() -> Path:
    """The Java that runs the servlet containers: of ``JAVA_HOME``, or Debian's."""
    home = os.environ.get("JAVA_HOME")
    return _required("tomcat10", Path(home, "bin", "java") if home else Path("/usr/bin/java"))


def _existing(name: str, path: Path) -> Path:
    if path.exists():
        return path
    raise missing_prerequisite(f"{path} not found: run scripts/prerequisites {name}")


def _required(name: str, path: Path) -> Path:
    if os.access(path, os.X_OK):
        return path
    raise missing_prerequisite(f"{path} not found: run scripts/prerequisites {name}")


def missing_prerequisite(message: str) -> BaseException:
    """The exception for a missing prerequisite: it skips the test or, with ``CI=true``, fails it."""
    return (pytest.fail if os.environ.get("CI") == "true" else pytest.skip).Exception(message)
