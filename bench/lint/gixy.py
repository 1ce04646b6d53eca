"""Runs gixy's origins check on the same patterns, each in an nginx configuration of its own."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from bench.lint.corpus import Case

from crossgate.lint.proof import MatchMode

_CONFIGURATION = """\
events {{}}
http {{ server {{ listen 80; location / {{
  if ($http_origin ~ "{pattern}") {{ add_header Access-Control-Allow-Origin $http_origin; }}
}} }} }}
"""
_AROUND = {MatchMode.FULL: "^(?:{})$", MatchMode.PREFIX: "^(?:{})", MatchMode.SEARCH: "{}"}


def finds(case: Case, command: str) -> bool | None:
    """Whether gixy reports the pattern as insecure; None if gixy fails.

    Reports of an invalid origin (severity low) are not counted: those are not holes.
    """
    # gixy generates strings from the pattern; anchors twice confuse it.
    anchored = case.pattern.startswith("^") and case.pattern.endswith("$") and "|" not in case.pattern
    around = "{}" if anchored else _AROUND[case.mode]
    pattern = around.format(case.pattern).replace('"', '\\"')
    checks = "--checks" if "ng" in command else "--tests"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "nginx.conf")
        path.write_text(_CONFIGURATION.format(pattern=pattern))
        done = subprocess.run(
            [command, "-f", "json", checks, "origins", str(path)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    try:
        issues = json.loads(done.stdout)
    except json.JSONDecodeError:
        return None
    return any(issue["plugin"] == "origins" and issue["severity"] != "LOW" for issue in issues)
