"""What gixy's origins check says of the same patterns, each in an nginx configuration of its own."""

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
    """Whether it calls the pattern insecure; None if it fails on it.

    What it calls an invalid origin (severity low) is not counted: that is no hole.
    """
    # Anchors that are there already confuse it: it generates its texts from the pattern's.
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
