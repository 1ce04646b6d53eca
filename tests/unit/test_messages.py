"""All messages that a user can get, in one file to read in one sitting, and in one style.

To accept changes: ``CROSSGATE_WRITE_GOLDENS=1 pytest tests/unit/test_messages.py``, or ``make golden``; then
read the difference.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator

from tests.source import ROOT, messages, modules, text_of

SNAPSHOT = ROOT / "tests" / "data" / "messages.txt"
PROPER_NOUNS = {
    "API",
    "APIs",
    "Crossgate",
    "Envoy",
    "Host",
    "If-Match",
    "Origin",
    "PostgreSQL",
    "RE2",
    "YAML",
}


def test_messages_are_those_of_the_snapshot() -> None:
    text = "".join(f"{message}\n" for message in messages())
    if os.environ.get("CROSSGATE_WRITE_GOLDENS"):
        SNAPSHOT.write_text(text, encoding="utf-8")
    assert text == SNAPSHOT.read_text(encoding="utf-8")


def diagnostics() -> Iterator[tuple[str, str, str]]:
    """The place of each ``Diagnostic(…)`` in the source, with its message and its remedy."""
    for path, module in modules().items():
        for node in ast.walk(module):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "Diagnostic"
            ):
                arguments = dict(zip(("code", "message", "remedy"), node.args, strict=False))
                arguments |= {one.arg: one.value for one in node.keywords if one.arg is not None}
                message, remedy = (text_of(arguments[name]) or "" for name in ("message", "remedy"))
                yield f"{path}:{node.lineno}", message, remedy


def test_a_diagnostic_begins_its_message_in_lower_case_and_its_remedy_in_upper_case() -> None:
    wrong = []
    for place, message, remedy in diagnostics():
        first = re.split(r"[\s':]", message)[0]
        if (message[:1].isupper() and first not in PROPER_NOUNS) or message.endswith("."):
            wrong.append(f"{place}: {message}")
        if remedy[:1].islower() or remedy.endswith("."):
            wrong.append(f"{place}: {remedy}")
    assert wrong == []
