"""Documents that are expensive to read are refused within a budget of processor time and output."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from crossgate.catalogue.document import read_document

SECONDS = 30
"""Of processor time. The largest valid document takes about ten; without the bounds, these take minutes."""

_MANY = 50_000


def _api(number: int, **keys: str) -> str:
    entry = {"name": f"a{number}", "version": "'1'", "type": "rest", "native": "http://a.example", **keys}
    return "  - {" + ", ".join(f"{key}: {value}" for key, value in entry.items()) + "}\n"


def _lines(line: str, count: int = _MANY) -> str:
    return "".join(line.replace("{n}", str(number)) for number in range(count))


def _apis(count: int, **keys: str) -> str:
    return "apis:\n" + "".join(_api(number, **keys) for number in range(count))


def _doubling_aliases() -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    doublings = (f"{after}: &{after} [*{letter}, *{letter}]\n" for letter, after in pairwise(letters))
    return "a: &a [x, x]\n" + "".join(doublings)


HOSTILE = {
    "brackets": "apis: " + "[" * 5_000_000,
    "braces": "{a: " * 2_000_000,
    "dashes": "- " * 5_000_000,
    "one huge text": "apis: '" + "x" * 15_000_000 + "'",
    "one huge key": "x" * 15_000_000 + ": 1",
    "a quote never closed": "a: 'x\n" + "b: 1\n" * 2_000_000,
    "empty entries": "apis:\n" + "- \n" * 490_000,
    "too many entries": "apis: [" + "a," * 4_000_000 + "]",
    "unknown keys": _lines("k{n}: 1\n"),
    "one key again and again": "apis:\n  - a: 1\n" + "    a: 1\n" * _MANY,
    "versions without quotes": _apis(20_000, version="1.0"),
    "APIs alike": "apis:\n" + _api(1) * 20_000,
    "endpoints inside each other": _apis(5_000, endpoints="[/a" + "/b" * 400 + "]"),
    "references to nothing": (
        _apis(5_000) + "applications:\n  - name: a\n    apis:\n" + _lines("      - b{n}/1\n")
    ),
    "origins all bad": "gateway:\n  public_origins:\n" + "    - x\n" * _MANY,
    "unknown settings": "settings:\n" + _lines("  watt.server.cors.x{n}: 1\n"),
    "doubling aliases": _doubling_aliases(),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_document_is_refused_within_its_budget(text: str) -> None:
    begin = time.process_time()
    reading = read_document(text)
    assert time.process_time() - begin < SECONDS
    assert reading.diagnostics
    assert reading.catalogue is None
    for found in reading.diagnostics:
        assert len(found.found or "") < 400
        assert len(found.message) + len(found.remedy) < 2_000
