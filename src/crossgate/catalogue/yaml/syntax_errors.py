"""Syntax errors of YAML as diagnostics with a remedy."""

from __future__ import annotations

import re
from typing import Final

import yaml

from crossgate.diagnostics import Diagnostic, Place

# YAML 1.2, §5.1: c-printable. U+FEFF is allowed as a byte order mark only, which was removed before.
_FORBIDDEN: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)

_REMEDIES: Final = (
    ("scanning an alias", "Quote a string that begins with *: '*'"),
    ("scanning an anchor", "Quote a string that begins with &"),
    (
        "mapping values are not allowed",
        "Quote a string that contains a colon and a space, and check the indentation",
    ),
    ("scanning a simple key", "Add the missing colon, or indent as in the lines above"),
    ("could not find expected ':'", "Add the missing colon, or indent as in the lines above"),
    ("scanning a quoted scalar", "Close the quotes; inside double quotes write \\\\ for a backslash"),
    ("parsing a quoted scalar", "Inside double quotes write \\\\ for a backslash, or use single quotes"),
    ("flow sequence", "Close the bracket ]; quote a string that begins with ["),
    ("flow mapping", "Close the brace }; quote a string that begins with {"),
    ("flow node", "Close the bracket or brace; quote a string that begins with [ or {"),
    ("block mapping", "Indent the keys of a mapping equally; quote a string that begins with [ { or a quote"),
    ("block collection", "Indent the entries of a list equally, each with a dash"),
    ("cannot start any token", "Quote a string that begins with @, ` or %"),
)
_OTHERWISE: Final = "Check quotes, brackets and indentation here and just before"


def find_forbidden_character(text: str) -> Diagnostic | None:
    """The first character that YAML does not allow, if there is one."""
    found = _FORBIDDEN.search(text)
    if found is None:
        return None
    before = text[: found.start()]
    line_start = before.rfind("\n") + 1
    return Diagnostic(
        code="yaml-character",
        message="character not allowed in YAML",
        found=f"U+{ord(found[0]):04X}",
        remedy="Remove it, or write it as an escape in double quotes",
        place=Place(line=before.count("\n") + 1, column=len(before) - line_start + 1),
    )


def explain_syntax_error(text: str, error: yaml.MarkedYAMLError) -> Diagnostic:
    """The parser's error, with its place and a remedy."""
    position = error.problem_mark or error.context_mark
    line, column = (position.line, position.column) if position is not None else (0, 0)
    problem = " ".join(part for part in (error.context, error.problem) if part)
    return Diagnostic(
        code="yaml-syntax",
        message=f"invalid YAML: {problem}",
        remedy=_remedy(problem, text, line, column),
        place=Place(line=line + 1, column=column + 1),
    )


def _remedy(problem: str, text: str, line: int, column: int) -> str:
    here = text.split("\n", line + 1)[line : line + 1]
    if here and "\t" in here[0][: column + 1]:
        return "Indent with spaces, not with tabs"
    return next((remedy for sign, remedy in _REMEDIES if sign in problem), _OTHERWISE)
