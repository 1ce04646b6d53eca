"""The words of the source, the tests and the documentation: those that are vague or ambiguous are banned."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.source import ROOT

BANNED = {
    r"asked": "requested, called, tried",
    r"belongs?\s+into": "must be in, is set in",
    r"blanks?": "space",
    r"elsewhere": "name the other place",
    r"hearsay": "untrusted forwarding header",
    r"made\s+for": "used by, built for",
    r"mend(?:s|ed|ing)?": "fix",
    r"opens?\s+nothing": "is invalid, is revoked",
    r"said": "reported, printed; for a variable: output",
    r"stands?\s+in\s+the\s+way": "refuses, blocks",
    r"told": "sent, notified",
    r"what\s+is\s+not\s+there": "missing, not found",
    r"whoever": "name who: users, clients, callers",
    r"all\s+the\s+same": "name the consequence",
    r"(?:an?|as|of)\s+texts?": "a string",
    r"(?<!there\s)is\s+no(?!\s+(?:longer|more)\b)": "is not a",
}
"""Expressions, each with what to write instead."""

ROOMS = ("bench", "deploy", "docs", "examples", "scripts", "src", "tests")
PAGES = ("CHANGELOG.md", "Makefile", "README.md", "pyproject.toml")
SUFFIXES = frozenset({".html", ".js", ".json", ".md", ".py", ".txt", ".yaml"})

_PATTERNS = {re.compile(rf"\b{word}\b", re.IGNORECASE): better for word, better in BANNED.items()}


def _files() -> list[Path]:
    files = (path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in SUFFIXES)
    return sorted({*files, *(ROOT / page for page in PAGES)} - {Path(__file__)})


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", _files(), ids=_name)
def test_no_banned_word_is_used(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = [
        f"{_name(path)}:{_line(text, match.start())}: {match[0]!r}; write: {better}"
        for pattern, better in _PATTERNS.items()
        for match in pattern.finditer(text)
    ]
    assert not found, "\n".join(found)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
