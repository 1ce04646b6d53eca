"""The syntax trees of the package, for tests that read the source."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "crossgate"


@cache
def modules() -> dict[str, ast.Module]:
    """The modules of ``src/crossgate`` by their paths below the root of the repository."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }
