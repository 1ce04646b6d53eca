"""The source of the package as syntax trees, and every sentence in it that a user can see."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "crossgate"
_VERBS: Final = "src/crossgate/cli/"
_SENTENCE: Final = re.compile(r"[A-Za-z]{2}\S*\s+\S*[A-Za-z]{2}")
_NOT_SHOWN: Final = re.compile(
    # SQL, styles of the terminal, regular expressions, formatting of the writers.
    r"(?:BEGIN|DELETE|INSERT|LISTEN|LOCK|NOTIFY|PRAGMA|REPEATABLE|SELECT|SET|UPDATE) [A-Z*({]"
    r"|SELECT |bold |bearer \+|\(\?|\{indent\}"
)


@cache
def modules() -> dict[str, ast.Module]:
    """The modules of ``src/crossgate`` by their paths below the root of the repository."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def messages() -> list[str]:
    """Every sentence that the package can show, sorted without regard to case and punctuation.

    These are all strings of two words or more except docstrings, and the docstrings of the verbs, which are
    their help texts. An f-string is shown with its expressions.
    """
    found = {
        " ".join(string.split())
        for path, module in modules().items()
        for string in (*_strings(module), *_help_texts(path, module))
        if _is_sentence(string)
    }
    return sorted(found, key=lambda message: (re.sub(r"\W+", " ", message).casefold().strip(), message))


def _is_sentence(string: str) -> bool:
    words = re.sub(r"\{[^{}]*\}", "xx", string)
    return _SENTENCE.search(words) is not None and _NOT_SHOWN.match(string) is None


def _strings(module: ast.Module) -> Iterator[str]:
    nodes = list(ast.walk(module))
    skipped = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    skipped |= {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if id(node) not in skipped and isinstance(node, ast.Constant | ast.JoinedStr):
            string = text_of(node)
            if string is not None:
                yield string


def text_of(node: ast.expr) -> str | None:
    """The text of a string in the source, the expressions of an f-string in braces; None for other values."""
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part) or "" for part in parts)
        case ast.FormattedValue(value=value):
            return f"{{{ast.unparse(value)}}}"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return f"{text_of(left) or '{…}'}{text_of(right) or '{…}'}"
        case _:
            return None


def _help_texts(path: str, module: ast.Module) -> Iterator[str]:
    if path.startswith(_VERBS):
        for node in module.body:
            if isinstance(node, ast.FunctionDef) and _is_command(path, node):
                yield ast.get_docstring(node) or ""


def _is_command(path: str, function: ast.FunctionDef) -> bool:
    return bool(function.decorator_list) or Path(path).stem == function.name or function.name == "_root"
