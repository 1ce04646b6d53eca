"""The certificates of nodes, as ``crossgate nodes`` prints them."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from crossgate.cli.verbs.nodes import _print_certificates

PROBLEM = {"severity": "error", "message": "the key belongs to another certificate", "found": "/etc/a.key"}


def printed(**state: Any) -> list[str]:
    certificate = {"certificate": "/etc/a.pem", "names": ["a.example"], "not_after": None, **state}
    console = Console(file=StringIO(), width=200)
    _print_certificates(console, [{"node": "edge-1", "certificates": [certificate]}])
    assert isinstance(console.file, StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("current", "not_after", "problems", "shown"),
    [
        (True, "2027-01-01T00:00:00+00:00", [], "2027-01-01T00:00:00Z ok"),
        (True, "2026-11-29T00:00:00+00:00", [PROBLEM], "2026-11-29T00:00:00Z see below"),
        (False, "2027-01-01T00:00:00+00:00", [PROBLEM], "2027-01-01T00:00:00Z last good one"),
        (False, None, [PROBLEM], "- none"),
    ],
)
def test_what_envoy_has(current: bool, not_after: str | None, problems: list[object], shown: str) -> None:
    lines = printed(current=current, not_after=not_after, problems=problems)
    assert " ".join(lines[0].split()).endswith(shown)
    assert lines[1:] == ["edge-1 /etc/a.key: error: the key belongs to another certificate"] * len(problems)


def test_a_control_plane_that_knows_of_none() -> None:
    console = Console(file=StringIO())
    _print_certificates(console, [{"node": "edge-1"}])
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue() == ""
