"""Reads the structure of an expression that RE2 has accepted.

Because it is known to be valid, only extents have to be found: where a token ends, where a group closes,
which flags hold. Source: RE2's parser (re2/parse.cc); its odd corners are kept: flags hold to the end of
the group across ``|``, ``{,3}`` and ``{01}`` are literal, a flag group between a token and its star is
looked through, ``[a[:b]`` has a class inside only if ``:]`` follows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

import re2

from crossgate.lint.proof.budget import ExhaustedError
from crossgate.lint.proof.oracle import ask
from crossgate.lint.proof.tree import Choice, Condition, Gap, Node, Repeat, Sequence, Symbol

MAX_DEPTH: Final = 60
"""Groups nested deeper are given up; RE2 itself stops at a thousand."""
MAX_STACKED: Final = 5
"""Repeats of repeats without a group between them; only a flag group in between makes any possible."""

_GAPS: Final = {
    "A": Gap.TEXT_START,
    "z": Gap.TEXT_END,
    "b": Gap.WORD_BOUNDARY,
    "B": Gap.NO_WORD_BOUNDARY,
}


_MARKS: Final[dict[str, tuple[int, int | None]]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


@dataclass(frozen=True, slots=True)
class _Flags:
    fold_case: bool = False
    multi_line: bool = False
    dot_all: bool = False


@dataclass(slots=True)
class _Group:
    """An open group: what has been read of it so far."""

    start: int
    flags_outside: _Flags
    branch_start: int
    branches: list[Node] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)

    def end_branch(self, at: int, after: int) -> None:
        only = self.items[0] if len(self.items) == 1 else None
        self.branches.append(only or Sequence(tuple(self.items), self.branch_start, at))
        self.items = []
        self.branch_start = after

    def close(self, at: int, end: int) -> Node:
        self.end_branch(at, at)
        if len(self.branches) == 1:
            return replace(self.branches[0], start=self.start, end=end)
        return Choice(tuple(self.branches), self.start, end)


@lru_cache(maxsize=1024)
def parse(pattern: str) -> Node:
    """The structure of ``pattern``, which RE2 must have accepted.

    Raises:
        ExhaustedError: it is nested too deep.

    """
    return _Parser(pattern).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._flags = _Flags()
        self._groups = [_Group(0, self._flags, 0)]

    def parse(self) -> Node:
        while self._at < len(self._text):
            self._read()
        (group,) = self._groups
        return group.close(self._at, self._at)

    def _read(self) -> None:
        start = self._at
        match self._text[start]:
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
                self._add_gap(Gap.LINE_START if self._flags.multi_line else Gap.TEXT_START, 1)
            case "$":
                self._add_gap(Gap.LINE_END if self._flags.multi_line else Gap.TEXT_END, 1)
            case "[":
                self._add_token(_end_of_class(self._text, start))
            case "\\":
                self._read_escape()
            case "*" | "+" | "?" as mark:
                self._repeat(*_MARKS[mark], start + 1)
            case "{" if (bounds := _read_bounds(self._text, start)) is not None:
                self._repeat(*bounds)
            case ".":
                self._add_token(start + 1, any_char=True)
            case char:
                self._add_literal(char, start + 1)

    def _add(self, node: Node) -> None:
        self._groups[-1].items.append(node)

    def _add_gap(self, gap: Gap, length: int) -> None:
        start = self._at
        self._at += length
        self._add(Condition(gap, start, self._at))

    def _add_token(self, end: int, *, any_char: bool = False) -> None:
        start, self._at = self._at, end
        token = self._text[start:end]
        self._add(Symbol(self._ask(token), start, end, any_char=any_char))

    def _add_literal(self, char: str, end: int) -> None:
        start, self._at = self._at, end
        if self._flags.fold_case:
            # Folding reaches beyond ASCII: (?i) and U+017F match s.
            chars = self._ask(re2.escape(char))
        else:
            chars = 1 << ord(char) if char.isascii() else 0
        self._add(Symbol(chars, start, end))

    def _ask(self, token: str) -> int:
        return ask(token, fold_case=self._flags.fold_case, dot_all=self._flags.dot_all)

    def _repeat(self, least: int, most: int | None, end: int) -> None:
        if self._text[end : end + 1] == "?":  # which match is preferred does not matter here
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
        if self._text.startswith(("?P<", "?<"), self._at):
            self._at = self._text.index(">", self._at) + 1
        elif self._text.startswith("?", self._at):
            self._at += 1
            if not self._read_flags():
                return
        self._groups.append(_Group(start, outside, self._at))

    def _read_flags(self) -> bool:
        """Whether a group opens behind the flags; if not, they hold for the rest of the one around."""
        value = True
        while True:
            char = self._text[self._at]
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
                case _:  # U: which match is preferred does not matter here
                    pass

    def _read_escape(self) -> None:
        start = self._at
        kind = self._text[start + 1]
        if kind == "Q":
            self._read_quoted()
        elif kind in _GAPS:
            self._add_gap(_GAPS[kind], 2)
        else:
            self._add_token(_end_of_escape(self._text, start))

    def _read_quoted(self) -> None:
        self._at += 2
        while self._at < len(self._text):
            if self._text.startswith("\\E", self._at):
                self._at += 2
                return
            self._add_literal(self._text[self._at], self._at + 1)


def _depth_of_repeats(node: Node) -> int:
    depth = 0
    while isinstance(node, Repeat):
        depth += 1
        node = node.body
    return depth


def _read_bounds(text: str, start: int) -> tuple[int, int | None, int] | None:
    """``{n}``, ``{n,}`` or ``{n,m}``: least, most, end; None if the brace is a literal one."""
    at, least = _read_number(text, start + 1)
    if least is None:
        return None
    most: int | None = least
    if text[at : at + 1] == ",":
        if text[at + 1 : at + 2] == "}":
            return least, None, at + 2
        at, most = _read_number(text, at + 1)
        if most is None:
            return None
    return (least, most, at + 1) if text[at : at + 1] == "}" else None


def _read_number(text: str, at: int) -> tuple[int, int | None]:
    end = at
    while text[end : end + 1].isascii() and text[end : end + 1].isdigit():
        end += 1
    digits = text[at:end]
    if not digits or (len(digits) > 1 and digits[0] == "0"):
        return end, None
    return end, int(digits)


def _end_of_escape(text: str, start: int) -> int:
    kind = text[start + 1]
    after = start + 2
    if kind in "pPx" and text[after : after + 1] == "{":
        return text.index("}", after) + 1
    if kind in "pP":
        return after + 1
    if kind == "x":
        return after + 2
    if kind in "01234567":
        while after < start + 4 and text[after : after + 1] in tuple("01234567"):
            after += 1
    return after


def _end_of_class(text: str, start: int) -> int:
    at = start + 1
    if text[at] == "^":
        at += 1
    first = at
    while text[at] != "]" or at == first:
        at = _end_of_class_item(text, at)
    return at + 1


def _end_of_class_item(text: str, at: int) -> int:
    if text.startswith("[:", at) and (close := text.find(":]", at + 2)) >= 0:
        return close + 2
    if text[at] == "\\" and text[at + 1] in "pPdDsSwW":
        return _end_of_escape(text, at)
    at = _end_of_class_char(text, at)
    if text[at] == "-" and text[at + 1] != "]":
        at = _end_of_class_char(text, at + 1)
    return at


def _end_of_class_char(text: str, at: int) -> int:
    return _end_of_escape(text, at) if text[at] == "\\" else at + 1
