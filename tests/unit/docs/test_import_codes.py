"""Every code of the report of an import is in its reference page, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = ROOT / "docs" / "reference" / "imports.md"
_CODE: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")
_NO_DIAGNOSTICS: Final = frozenset({"Kind", "get", "decode", "_where"})


def _codes() -> set[str]:
    """What looks like a code, where readers make diagnostics: in calls, and in tuples of their arguments."""
    return {
        first.value
        for file in (ROOT / "src" / "crossgate" / "importers").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for first in _first_values(node)
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and _CODE.fullmatch(first.value)
    }


def _first_values(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args):
            return [] if name in _NO_DIAGNOSTICS else args[:2]
        case ast.Tuple(elts=[first, _, _]):
            return [first]
        case _:
            return []


def _documented() -> set[str]:
    section = PAGE.read_text(encoding="utf-8").partition("## Codes of the report")[2]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    return {code for row in rows for code in re.findall("`([^`]+)`", row)}


def test_each_code_is_documented() -> None:
    assert "policies-combined" in _documented()
    assert sorted(_codes() ^ _documented()) == []
