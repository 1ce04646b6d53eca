"""What keeps a text from being YAML, in words that say what to do about it."""

from __future__ import annotations

import re
from typing import Final

import yaml

from crossgate.diagnostics import Diagnostic, Place

# YAML 1.2, §5.1: c-printable. U+FEFF is allowed as a byte order mark only, which the reader has removed.
_FORBIDDEN: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)

_REMEDIES: Final = (
    ("scanning an alias", "A text that begins with * must be quoted: '*'"),
    ("scanning an anchor", "A text that begins with & must be quoted"),
    (
        "mapping values are not allowed",
        "Quote a text that holds a colon and a blank, and check the indentation",
    ),
    ("scanning a simple key", "A colon is missing here, or the indentation is not that of the lines above"),
    ("could not find expected ':'", "A colon is missing, or the indentation is not that of the lines above"),
    ("scanning a quoted scalar", "Close the quotes; inside double quotes write \\\\ for a backslash"),
    ("parsing a quoted scalar", "Inside double quotes write \\\\ for a backslash, or use single quotes"),
    ("flow sequence", "Close the bracket ]; quote a text that begins with ["),
    ("flow mapping", "Close the brace }; quote a text that begins with {"),
    ("flow node", "Close the bracket or brace; quote a text that begins with [ or {"),
    ("block mapping", "Indent the keys of one mapping alike; quote a text that begins with [ { or a quote"),
    ("block collection", "Indent the entries of one list alike, each with a dash"),
    ("cannot start any token", "Quote a text that begins with @, ` or %"),
)
_OTHERWISE: Final = "Check quotes, brackets and indentation at this place and just before it"


def find_forbidden_character(text: str) -> Diagnostic | None:
    """The first character that no YAML file may hold, if there is one."""
    found = _FORBIDDEN.search(text)
    if found is None:
        return None
    before = text[: found.start()]
    line_start = before.rfind("\n") + 1
    return Diagnostic(
        code="yaml-character",
        message="a YAML file must not hold this character",
        found=f"U+{ord(found[0]):04X}",
        remedy="Remove it; in double quotes it can be written as an escape",
        place=Place(line=before.count("\n") + 1, column=len(before) - line_start + 1),
    )


def explain_syntax_error(text: str, error: yaml.MarkedYAMLError) -> Diagnostic:
    """The parser's complaint, with its place and a remedy."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    complaint = " ".join(part for part in (error.context, error.problem) if part)
    return Diagnostic(
        code="yaml-syntax",
        message=f"this is not YAML: {complaint}",
        remedy=_remedy(complaint, text, line, column),
        place=Place(line=line + 1, column=column + 1),
    )


def _remedy(complaint: str, text: str, line: int, column: int) -> str:
    here = text.split("\n", line + 1)[line : line + 1]
    if here and "\t" in here[0][: column + 1]:
        return "Indent with blanks, not with tabs"
    return next((remedy for sign, remedy in _REMEDIES if sign in complaint), _OTHERWISE)
