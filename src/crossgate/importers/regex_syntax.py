r"""Parses regular expressions of other programs: what they match, whatever RE2 would make of the same string.

Dialects agree on most of the syntax. Where they do not, an expression is read as its own dialect reads it, or
it is refused. The dangerous constructs are those that RE2 accepts with another meaning:

- ``[a&&b]``, ``[a[b]]``, ``[[:alpha:]]`` in Java: intersection and unions (in RE2: literals, a POSIX class);
- ``\12`` in PCRE and Java: back-reference to group 12, or 1 (in RE2: the octal number of a line feed);
- ``\v`` in PCRE and Java: all vertical space (in RE2: vertical tab);
- ``\A``, ``\z``, ``\a``, ``\Q`` in ECMAScript: the letter itself (in RE2: anchors, bell, quoting);
- ``[]a]`` in ECMAScript: an empty class, then ``a]`` (in RE2: a class with a bracket);
- ``x{,3}`` in new versions of PCRE, ``x{01}`` in all: repetitions (in RE2: literals).

Only origins are matched, which are ASCII without spaces and line breaks. So ``$`` before a final line break,
``(?m)``, ``(?s)``, lazy repetitions and Unicode classes make no difference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from crossgate.importers.regex_chars import (
    ASCII,
    Bound,
    Dialect,
    RegexUnclearError,
    read_class,
    read_escape,
)

MAX_LENGTH: Final = 4096
MAX_DEPTH: Final = 50


@dataclass(frozen=True, slots=True)
class CharSymbol:
    """One character of a set. ``text`` is how the expression spells it; None for what only its set says."""

    chars: frozenset[str]
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Branches:
    """One of several sequences of symbols, bounds, repetitions and branches."""

    branches: tuple[tuple[RegexNode, ...], ...]


@dataclass(frozen=True, slots=True)
class Repetition:
    """The body, from ``least`` to ``most`` times; None for no limit."""

    body: RegexNode
    least: int
    most: int | None


RegexNode = CharSymbol | Bound | Branches | Repetition

_REPEAT: Final = re.compile(r"\*|\+|\?|\{([0-9]+)(?:(,)([0-9]*))?\}")
_LIKE_A_REPEAT: Final = re.compile(r"\{[\s0-9,]*\}")
_GROUP: Final = re.compile(r"\((?!\?)|\(\?(?:P?<[A-Za-z_][A-Za-z0-9_]*>|(?P<flags>[A-Za-z-]*)(?P<end>[:)]))")
_NAMED_CLASS: Final = re.compile(r"\[:|\\[pP]")
_LOOK_AROUND: Final = re.compile(r"\(\?<?[=!]")
_QUANTIFIED: Final = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_FLAGS: Final = {
    Dialect.PCRE: "imsU",
    Dialect.JAVA: "imsudU",
    Dialect.RE2: "imsU",
    Dialect.ECMASCRIPT: "ims",
}


def parse_regex(pattern: str, dialect: Dialect, *, ignore_case: bool = False) -> Branches:
    """What the expression matches, to be compared with origins.

    Raises:
        RegexUnclearError: it is invalid, or its dialect has a construct that is not supported.

    """
    if len(pattern) > MAX_LENGTH:
        raise RegexUnclearError(f"longer than {MAX_LENGTH} characters")
    parser = _Parser(pattern, dialect, ignore_case=ignore_case)
    found = parser.read_branches()
    if parser.rest:
        raise RegexUnclearError("a parenthesis is closed that was not opened")
    return found


class _Parser:
    def __init__(self, pattern: str, dialect: Dialect, *, ignore_case: bool) -> None:
        self._pattern = pattern
        self._dialect = dialect
        self._fold = ignore_case
        self._at = 0
        self._depth = 0

    @property
    def rest(self) -> str:
        return self._pattern[self._at :]

    def _looking_at(self, *starts: str) -> bool:
        return self._pattern.startswith(starts, self._at)

    def _next(self) -> str:
        if self._at >= len(self._pattern):
            raise RegexUnclearError("the expression ends too early")
        self._at += 1
        return self._pattern[self._at - 1]

    def read_branches(self) -> Branches:
        branches: list[tuple[RegexNode, ...]] = []
        items: list[RegexNode] = []
        while self._at < len(self._pattern) and not self._looking_at(")"):
            if self._looking_at("|"):
                self._at += 1
                branches.append(tuple(items))
                items = []
            elif self._looking_at("\\Q") and self._dialect is not Dialect.ECMASCRIPT:
                items += self._read_quoted()
                self._repeat(items)
            elif found := self._read_item():
                items += found
                self._repeat(items)
            elif _REPEAT.match(self._pattern, self._at):
                raise RegexUnclearError("flags are repeated", "Remove the repetition after the flags")
        return Branches((*branches, tuple(items)))

    def _read_item(self) -> list[RegexNode]:
        start = self._at
        match self._next():
            case "(":
                self._at = start
                return self._read_group()
            case "[":
                chars, negated, self._at = read_class(self._pattern, self._at, self._dialect)
                chars = self._folded(chars)
                self._refuse_case_of_names(start)
                return [CharSymbol(ASCII - chars if negated else chars, self._pattern[start : self._at])]
            case "\\":
                found, self._at = read_escape(self._pattern, self._at, self._dialect)
                if isinstance(found, Bound):
                    return [found]
                self._refuse_case_of_names(start)
                return [CharSymbol(self._folded(found), self._pattern[start : self._at])]
            case ".":
                return [CharSymbol(ASCII - {"\n"}, ".")]
            case "^":
                return [Bound.START]
            case "$":
                return [Bound.END]
            case "*" | "+" | "?":
                raise RegexUnclearError("a repetition has nothing to repeat")
            case "{":
                self._refuse_unclear_brace(start)
            case _:
                pass
        return [self._literal(self._pattern[start])]

    def _refuse_case_of_names(self, start: int) -> None:
        """Dialects differ in what ``(?i)`` makes of classes with names, above all of their opposites."""
        if self._fold and _NAMED_CLASS.search(self._pattern, start, self._at):
            raise RegexUnclearError(
                "case is ignored for a class with a name", "Name the characters, as in [a-z]"
            )

    def _refuse_unclear_brace(self, start: int) -> None:
        if self._dialect is Dialect.JAVA or (
            self._dialect is Dialect.PCRE and _LIKE_A_REPEAT.match(self._pattern, start)
        ):
            raise RegexUnclearError("a brace is not a repetition", "Write \\{ for the character")

    def _literal(self, char: str) -> CharSymbol:
        return CharSymbol(self._folded(frozenset(char)))

    def _folded(self, chars: frozenset[str]) -> frozenset[str]:
        if not self._fold:
            return chars
        if not all(map(str.isascii, chars)):
            raise RegexUnclearError("case is ignored beyond ASCII", "Write the letters of origins: a to z")
        return frozenset(same for char in chars for same in (char.lower(), char.upper()))

    def _read_quoted(self) -> list[RegexNode]:
        end = self._pattern.find("\\E", self._at + 2)
        text = self._pattern[self._at + 2 : end if end >= 0 else None]
        self._at = end + 2 if end >= 0 else len(self._pattern)
        return [self._literal(char) for char in text]

    def _repeat(self, items: list[RegexNode]) -> None:
        found = _REPEAT.match(self._pattern, self._at)
        if found is None:
            return
        if not items or isinstance(items[-1], Bound):
            raise RegexUnclearError("a repetition has nothing to repeat")
        if found[1] is None:
            least, most = _QUANTIFIED[found[0]]
        else:
            if max(len(found[1]), len(found[3] or "")) > 4 or re.match("0[0-9]", found[1]):
                raise RegexUnclearError("the number of a repetition is unclear", "Write at most 1000 there")
            least = int(found[1])
            most = least if found[2] is None else int(found[3]) if found[3] else None
        self._at = found.end()
        if self._looking_at("?"):
            self._at += 1
        elif self._looking_at("+"):
            raise RegexUnclearError(
                "a possessive repetition never gives back characters", "Remove the plus after the repetition"
            )
        if _REPEAT.match(self._pattern, self._at):
            raise RegexUnclearError("a repetition is repeated", "Write (?:…) around the inner repetition")
        items[-1] = Repetition(items[-1], least, most)

    def _read_group(self) -> list[RegexNode]:
        found = _GROUP.match(self._pattern, self._at)
        if found is None:
            raise self._unclear_group()
        outside = self._fold
        if found["end"]:
            self._read_flags(found["flags"])
        if found["end"] == ")":
            if self._dialect is Dialect.ECMASCRIPT:
                raise RegexUnclearError("flags stand alone", "Write (?i:…)")
            self._at = found.end()
            return []
        self._at = found.end()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise RegexUnclearError(f"more than {MAX_DEPTH} groups are nested")
        inside = self.read_branches()
        if not self._looking_at(")"):
            raise RegexUnclearError("a parenthesis is not closed")
        self._at += 1
        self._depth -= 1
        self._fold = outside
        return [inside]

    def _unclear_group(self) -> RegexUnclearError:
        if _LOOK_AROUND.match(self._pattern, self._at):
            return RegexUnclearError(
                "it looks ahead or behind, which RE2 cannot do",
                "Name what is allowed, instead of what is not",
            )
        if self._looking_at("(?>"):
            return RegexUnclearError("a group is atomic: it never gives back characters", "Write (?:…)")
        return RegexUnclearError("a group has a form that is not supported", "Write (?:…) or (…)")

    def _read_flags(self, flags: str) -> None:
        on, minus, off = flags.partition("-")
        unknown = set(on + off) - set(_FLAGS[self._dialect])
        if unknown or (minus and not off):
            raise RegexUnclearError(
                f"the flags {flags} are not supported",
                "Write the expression without spaces and comments" if "x" in on else "Remove the flags",
            )
        if "i" in off:
            self._fold = False
        elif "i" in on:
            self._fold = True
