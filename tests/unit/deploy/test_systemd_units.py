"""The units of systemd: well-formed, without root, and rated no worse than their page says."""

from __future__ import annotations

import re
import subprocess
from configparser import RawConfigParser
from pathlib import Path
from typing import Final

import pytest
from tests.prerequisites import systemd_analyze

ROOT: Final = Path(__file__).parents[3]
UNITS: Final = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
PAGE: Final = ROOT / "docs" / "how-to" / "run-with-systemd.md"
_RATING: Final = re.compile(r"Overall exposure level for \S+: ([0-9.]+)")


def test_there_is_one_unit_for_all_and_two_for_two_services() -> None:
    assert {unit.stem for unit in UNITS} == {"crossgate", "crossgate-control-plane", "crossgate-node"}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    # It wants the program to exist.
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("/opt/crossgate/bin/crossgate", "/bin/true"))
    command = [str(systemd_analyze()), "verify", "--man=no", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if unit.name in line]) == (0, [])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_the_rating_is_no_worse_than_the_page_says(unit: Path) -> None:
    command = [str(systemd_analyze()), "security", "--offline=true", "--no-pager", str(unit)]
    found = _RATING.search(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert found is not None
    documented = re.search(rf"^\| `{unit.name}` \| ([0-9.]+) \|", PAGE.read_text(), re.MULTILINE)
    assert documented is not None
    assert float(found[1]) <= float(documented[1])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_no_unit_runs_as_root(unit: Path) -> None:
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(unit)
    service = dict(parser["Service"])
    assert service["DynamicUser"] == "yes"
    assert service.get("User", "crossgate") != "root"
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == ""
    assert service["KillMode"] == "mixed"


@pytest.mark.parametrize("name", ["crossgate", "crossgate-node"])
def test_the_lines_for_a_low_port_are_in_force_when_they_are_uncommented(name: str) -> None:
    unit = ROOT / "deploy" / "systemd" / f"{name}.service"
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(re.sub(r"(?m)^#(?=(AmbientCap|CapabilityB|PrivateUsers))", "", unit.read_text()))
    service = dict(parser["Service"])
    # The last of several assignments counts, and an empty one removes those before it (systemd.exec(5)).
    assert service["AmbientCapabilities"] == service["CapabilityBoundingSet"] == "CAP_NET_BIND_SERVICE"
    assert service["PrivateUsers"] == "no"
