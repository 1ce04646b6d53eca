"""Parses an expression that RE2 has accepted.

The expression is known to be valid, so only extents have to be found: where a token ends, where a group
closes, which flags hold. Source: RE2's parser (re2/parse.cc). Its special cases are kept: flags hold to the
end of the group across ``|``; ``{,3}`` and ``{01}`` are literals; a flag group between a token and its star
is skipped; ``[a[:b]`` has a named class inside only if ``:]`` follows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

import re2

from crossgate.lint.proof.alphabet import chars_of_token
from crossgate.lint.proof.bitset import CharSet
from crossgate.lint.proof.budget import ExhaustedError
from crossgate.lint.proof.syntax_tree import (
    Alternation,
    Assertion,
    AssertionKind,
    Concatenation,
    Node,
    Repeat,
    Symbol,
)

MAX_DEPTH: Final = 60
"""Deeper nesting is given up; RE2 itself stops at a thousand groups."""
MAX_STACKED: Final = 5
"""Repeats of repeats without a group between them; only a flag group in between makes them possible."""

_ASSERTIONS: Final = {
    "A": AssertionKind.TEXT_START,
    "z": AssertionKind.TEXT_END,
    "b": AssertionKind.WORD_BOUNDARY,
    "B": AssertionKind.NO_WORD_BOUNDARY,
}


_MARKS: Final[dict[str, tuple[int, int | None]]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


@dataclass(frozen=True, slots=True)
class _Flags:
    fold_case: bool = False
    multi_line: bool = False
    dot_all: bool = False


@dataclass(slots=True)
class _Group:
    """An open group, with its items so far."""

    start: int
    flags_outside: _Flags
    branch_start: int
    branches: list[Node] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)

    def end_branch(self, at: int, after: int) -> None:
        only = self.items[0] if len(self.items) == 1 else None
        self.branches.append(only or Concatenation(tuple(self.items), self.branch_start, at))
        self.items = []
        self.branch_start = after

    def close(self, at: int, end: int) -> Node:
        self.end_branch(at, at)
        if len(self.branches) == 1:
            return replace(self.branches[0], start=self.start, end=end)
        return Alternation(tuple(self.branches), self.start, end)


@lru_cache(maxsize=1024)
def parse(pattern: str) -> Node:
    """The syntax tree of ``pattern``, which RE2 must have accepted.

    Raises:
        ExhaustedError: it is nested too deep.

    """
    return _Parser(pattern).parse()


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._flags = _Flags()
        self._groups = [_Group(0, self._flags, 0)]

    def parse(self) -> Node:
        while self._at < len(self._pattern):
            self._read()
        (group,) = self._groups
        return group.close(self._at, self._at)

    def _read(self) -> None:
        start = self._at
        match self._pattern[start]:
            case "(":
                self._open()
            case "|":
                self._at += 1
                self._groups[-1].end_branch(start, self._at)
            case ")":
                self._at += 1
                group = self._groups.pop()
                self._flags = group.flags_outside
                self._add(group.close(start, self._at))
            case "^":
                self._add_assertion(
                    AssertionKind.LINE_START if self._flags.multi_line else AssertionKind.TEXT_START, 1
                )
            case "$":
                self._add_assertion(
                    AssertionKind.LINE_END if self._flags.multi_line else AssertionKind.TEXT_END, 1
                )
            case "[":
                self._add_token(_end_of_class(self._pattern, start))
            case "\\":
                self._read_escape()
            case "*" | "+" | "?" as mark:
                self._repeat(*_MARKS[mark], start + 1)
            case "{" if (bounds := _read_bounds(self._pattern, start)) is not None:
                self._repeat(*bounds)
            case ".":
                self._add_token(start + 1, any_char=True)
            case char:
                self._add_literal(char, start + 1)

    def _add(self, node: Node) -> None:
        self._groups[-1].items.append(node)

    def _add_assertion(self, kind: AssertionKind, length: int) -> None:
        start = self._at
        self._at += length
        self._add(Assertion(kind, start, self._at))

    def _add_token(self, end: int, *, any_char: bool = False) -> None:
        start, self._at = self._at, end
        token = self._pattern[start:end]
        self._add(Symbol(self._chars_of(token), start, end, any_char=any_char))

    def _add_literal(self, char: str, end: int) -> None:
        start, self._at = self._at, end
        if self._flags.fold_case:
            # Folding crosses ASCII: U+017F matches s under (?i), and so does s for U+017F.
            chars = self._chars_of(re2.escape(char))
        else:
            chars = CharSet(1 << ord(char) if char.isascii() else 0)
        self._add(Symbol(chars, start, end))

    def _chars_of(self, token: str) -> CharSet:
        return chars_of_token(token, fold_case=self._flags.fold_case, dot_all=self._flags.dot_all)

    def _repeat(self, least: int, most: int | None, end: int) -> None:
        if (
            self._pattern[end : end + 1] == "?"
        ):  # lazy or greedy: which match is preferred makes no difference here
            end += 1
        items = self._groups[-1].items
        body = items.pop()
        self._at = end
        node = Repeat(body, least, most, body.start, end)
        if _depth_of_repeats(node) > MAX_STACKED:
            raise ExhaustedError
        items.append(node)

    def _open(self) -> None:
        if len(self._groups) > MAX_DEPTH:
            raise ExhaustedError
        start, outside = self._at, self._flags
        self._at += 1
        if self._pattern.startswith(("?P<", "?<"), self._at):
            self._at = self._pattern.index(">", self._at) + 1
        elif self._pattern.startswith("?", self._at):
            self._at += 1
            if not self._read_flags():
                return
        self._groups.append(_Group(start, outside, self._at))

    def _read_flags(self) -> bool:
        """Read flags; False if no group follows, and they hold for the rest of the enclosing group."""
        value = True
        while True:
            char = self._pattern[self._at]
            self._at += 1
            match char:
                case ":":
                    return True
                case ")":
                    return False
                case "-":
                    value = False
                case "i":
                    self._flags = replace(self._flags, fold_case=value)
                case "m":
                    self._flags = replace(self._flags, multi_line=value)
                case "s":
                    self._flags = replace(self._flags, dot_all=value)
                case _:  # U: lazy and greedy swapped makes no difference
                    pass

    def _read_escape(self) -> None:
        start = self._at
        kind = self._pattern[start + 1]
        if kind == "Q":
            self._read_quoted()
        elif kind in _ASSERTIONS:
            self._add_assertion(_ASSERTIONS[kind], 2)
        else:
            self._add_token(_end_of_escape(self._pattern, start))

    def _read_quoted(self) -> None:
        self._at += 2
        while self._at < len(self._pattern):
            if self._pattern.startswith("\\E", self._at):
                self._at += 2
                return
            self._add_literal(self._pattern[self._at], self._at + 1)


def _depth_of_repeats(node: Node) -> int:
    depth = 0
    while isinstance(node, Repeat):
        depth += 1
        node = node.body
    return depth


def _read_bounds(pattern: str, start: int) -> tuple[int, int | None, int] | None:
    """Least, most and end of ``{n}``, ``{n,}`` or ``{n,m}``; None if the brace is a literal."""
    at, least = _read_number(pattern, start + 1)
    if least is None:
        return None
    most: int | None = least
    if pattern[at : at + 1] == ",":
        if pattern[at + 1 : at + 2] == "}":
            return least, None, at + 2
        at, most = _read_number(pattern, at + 1)
        if most is None:
            return None
    return (least, most, at + 1) if pattern[at : at + 1] == "}" else None


def _read_number(pattern: str, at: int) -> tuple[int, int | None]:
    end = at
    while pattern[end : end + 1].isascii() and pattern[end : end + 1].isdigit():
        end += 1
    digits = pattern[at:end]
    if not digits or (len(digits) > 1 and digits[0] == "0"):
        return end, None
    return end, int(digits)


def _end_of_escape(pattern: str, start: int) -> int:
    kind = pattern[start + 1]
    after = start + 2
    if kind in "pPx" and pattern[after : after + 1] == "{":
        return pattern.index("}", after) + 1
    if kind in "pP":
        return after + 1
    if kind == "x":
        return after + 2
    if kind in "01234567":
        while after < start + 4 and pattern[after : after + 1] in tuple("01234567"):
            after += 1
    return after


def _end_of_class(pattern: str, start: int) -> int:
    at = start + 1
    if pattern[at] == "^":
        at += 1
    first = at
    while pattern[at] != "]" or at == first:
        at = _end_of_class_item(pattern, at)
    return at + 1


def _end_of_class_item(pattern: str, at: int) -> int:
    if pattern.startswith("[:", at) and (close := pattern.find(":]", at + 2)) >= 0:
        return close + 2
    if pattern[at] == "\\" and pattern[at + 1] in "pPdDsSwW":
        return _end_of_escape(pattern, at)
    at = _end_of_class_char(pattern, at)
    if pattern[at] == "-" and pattern[at + 1] != "]":
        at = _end_of_class_char(pattern, at + 1)
    return at


def _end_of_class_char(pattern: str, at: int) -> int:
    return _end_of_escape(pattern, at) if pattern[at] == "\\" else at + 1
