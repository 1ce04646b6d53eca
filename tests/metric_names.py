"""The names of metrics in an expression, on a page, and in the reference."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.source import ROOT

REFERENCE = ROOT / "docs" / "reference" / "telemetry.md"

_NAME = re.compile(r"(?:\b\w+:)?\b(?:crossgate|process)_\w+(?::\w+)?")
_ROW = re.compile(r"^\| `((?:crossgate|process)_\w+)` \|", re.MULTILINE)
_SUFFIX = re.compile(r"_(?:bucket|count|sum)$")


def named_in(expression: str) -> set[str]:
    """The metrics and recorded series of an expression of Prometheus; a histogram by its own name."""
    return {_SUFFIX.sub("", name) for name in _NAME.findall(expression)}


def documented() -> set[str]:
    """The metrics in the tables of the reference page."""
    return set(_ROW.findall(REFERENCE.read_text(encoding="utf-8")))


def on_page(samples: Iterable[str]) -> set[str]:
    """The metrics that have samples with these names."""
    return {_SUFFIX.sub("", name) for name in samples}
