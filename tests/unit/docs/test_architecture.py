"""Every path, class and function that the page about the architecture names exists, where the page says."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.source import PACKAGE, ROOT

PAGE = ROOT / "docs" / "explanation" / "architecture.md"
TEXT = PAGE.read_text(encoding="utf-8")
FLOWS = ("Flow 1", "Flow 2", "Flow 3", "Flow 4", "Flow 5", "Flow 6", "Flow 7", "Flow 8")
FOLDERS = ("bench/", "deploy/", "docs/", "scripts/", "src", "tests/")

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^(?:\||\d+\. |- |#|$)", re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"(?:[\w.-]+/)+(?:[\w.-]+\.\w+)?|\w+\.(?:py|toml)")
_NAME = re.compile(
    r"_?[A-Z][a-z]\w*(?:\.\w+)?(?:\(\))?"  # classes, and their attributes and methods
    r"|\w+(?:\.\w+)?\(\)"  # functions
    r"|_?[A-Z]{2,}[A-Z_]*"  # constants
)
_HTTP = frozenset({"Origin", "Host", "Allow", "Vary", "GET", "HEAD", "OPTIONS", "POST", "TRACE", "TRACK"})


def _blocks() -> list[str]:
    """The paragraphs, list items and rows of tables of the page, without what is fenced."""
    text = _FENCED.sub("", TEXT)
    starts = [found.start() for found in _BLOCK.finditer(text)]
    return [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]


def _spans(block: str, pattern: re.Pattern[str]) -> list[str]:
    return [span for span in _SPAN.findall(block) if pattern.fullmatch(span)]


def _place(path: str) -> Path:
    return (ROOT if path.startswith(FOLDERS) or path == "pyproject.toml" else PACKAGE) / path


PATHS = sorted({path for block in _blocks() for path in _spans(block, _PATH)})


@pytest.mark.parametrize("path", PATHS)
def test_path_exists(path: str) -> None:
    assert _place(path).is_dir() if path.endswith("/") else _place(path).is_file()


@cache
def _definitions(module: Path) -> frozenset[str]:
    """The names that a module defines, those of its classes as ``Class.name`` too."""
    return frozenset(_defined(ast.parse(module.read_text(encoding="utf-8")).body))


def _defined(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    for node in body:
        match node:
            case ast.ClassDef(name=name):
                yield prefix + name
                yield from _defined(node.body, f"{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield prefix + name
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield prefix + name
            case _:
                pass


def _modules(block: str) -> list[Path]:
    """The modules that a block names; all modules if it names none."""
    named = [_place(path) for path in _spans(block, _PATH)]
    found = [one for path in named for one in ([path] if path.suffix == ".py" else path.glob("*.py"))]
    return [path for path in found if path.suffix == ".py"] or list(PACKAGE.rglob("*.py"))


NAMES = sorted(
    {(name, block) for block in _blocks() for name in _spans(block, _NAME) if name not in _HTTP},
)


@pytest.mark.parametrize(("name", "block"), NAMES, ids=[name for name, _ in NAMES])
def test_name_is_defined_in_a_file_that_is_named_with_it(name: str, block: str) -> None:
    assert any(name.removesuffix("()") in _definitions(module) for module in _modules(block)), block


def _section(heading: str) -> str:
    found = re.search(rf"^## {heading}\b.*?(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found[0]


def test_every_room_is_described_in_the_order_of_the_layers() -> None:
    rows = re.findall(r"^\| `(\w+)(?:/|\.py)` \| (\d+) \|", _section("Layers and rooms"), re.MULTILINE)
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert sorted(room for room, _ in rows) == sorted(packages | {"diagnostics"})
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers: list[str] = contracts["contracts"][0]["layers"]
    height = {
        room: len(layers) - index for index, layer in enumerate(layers) for room in re.findall(r"\w+", layer)
    }
    assert rows == sorted(((room, str(height[room])) for room, _ in rows), key=lambda row: -int(row[1]))


@pytest.mark.parametrize("flow", FLOWS)
def test_a_flow_names_its_files(flow: str) -> None:
    assert len(set(_spans(_section(flow), _PATH))) > 10


def test_ten_changes_are_described_each_with_the_test_that_fails_first() -> None:
    changes = re.split(r"^### \d+\. ", _section("Where to make a change"), flags=re.MULTILINE)[1:]
    assert len(changes) == 10
    for change in changes:
        assert re.search(r"^(?:First to fail|No test fails by itself): ", change, re.MULTILINE), change
