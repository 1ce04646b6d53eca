"""Characters in regular expressions of other programs: escapes and classes, as each dialect reads them."""

from __future__ import annotations

import re
import string
import unicodedata
from enum import Enum, StrEnum
from functools import cache
from typing import Final

ASCII: Final = frozenset(map(chr, range(128)))


class Dialect(StrEnum):
    """Whose syntax an expression has."""

    PCRE = "PCRE"
    JAVA = "Java"
    RE2 = "RE2"
    ECMASCRIPT = "ECMAScript"


class RegexUnclearError(ValueError):
    """The expression is invalid, or has a construct that cannot be expressed; ``remedy`` says what to do."""

    def __init__(self, message: str, remedy: str = "Write the expression in RE2's syntax") -> None:
        self.remedy = remedy
        super().__init__(message)


class Bound(Enum):
    """What an assertion demands of a place; the values are in RE2's syntax."""

    START = "^"
    END = "$"
    WORD = "\\b"
    NO_WORD = "\\B"


_WORD: Final = frozenset(string.ascii_letters + string.digits + "_")
_POSIX: Final = {
    "alnum": frozenset(string.ascii_letters + string.digits),
    "alpha": frozenset(string.ascii_letters),
    "digit": frozenset(string.digits),
    "lower": frozenset(string.ascii_lowercase),
    "punct": frozenset(string.punctuation),
    "upper": frozenset(string.ascii_uppercase),
    "word": _WORD,
    "xdigit": frozenset(string.hexdigits),
}
_JAVA_CLASSES: Final = {
    "Alnum": "alnum",
    "Alpha": "alpha",
    "Digit": "digit",
    "Lower": "lower",
    "Punct": "punct",
    "Upper": "upper",
    "XDigit": "xdigit",
}
_CATEGORIES: Final = frozenset(
    ("L", "Lu", "Ll", "N", "Nd", "P", "Pc", "Pd", "Ps", "Pe", "Po", "S", "Sc", "Sm")
)

_EVERYWHERE: Final = {
    "d": frozenset(string.digits),
    "w": _WORD,
    "s": frozenset(" \t\n\r\f\v"),
    "f": frozenset("\f"),
    "n": frozenset("\n"),
    "r": frozenset("\r"),
    "t": frozenset("\t"),
}
_VERTICAL: Final = frozenset("\n\v\f\r")
_SPACES: Final = {"h": frozenset(" \t"), "v": _VERTICAL}
_BELL_AND_ESCAPE: Final = {"a": frozenset("\a"), "e": frozenset("\x1b")}
_ESCAPES: Final = {
    Dialect.PCRE: {**_EVERYWHERE, **_SPACES, **_BELL_AND_ESCAPE},
    Dialect.JAVA: {**_EVERYWHERE, **_SPACES, **_BELL_AND_ESCAPE},
    Dialect.RE2: {**_EVERYWHERE, "v": frozenset("\v"), "a": frozenset("\a")},
    Dialect.ECMASCRIPT: {**_EVERYWHERE, "v": frozenset("\v")},
}
_OPPOSITES: Final = "DWSHV"
_WORD_BOUNDS: Final = {"b": Bound.WORD, "B": Bound.NO_WORD}
_ANCHORS: Final = {
    Dialect.PCRE: {**_WORD_BOUNDS, "A": Bound.START, "z": Bound.END, "Z": Bound.END},
    Dialect.JAVA: {**_WORD_BOUNDS, "A": Bound.START, "z": Bound.END, "Z": Bound.END},
    Dialect.RE2: {**_WORD_BOUNDS, "A": Bound.START, "z": Bound.END},
    Dialect.ECMASCRIPT: _WORD_BOUNDS,
}
_TWO_HEX: Final = re.compile(r"x([0-9A-Fa-f]{2})")
_HEX_IN_BRACES: Final = re.compile(r"x\{([0-9A-Fa-f]{1,6})\}")
_FOUR_HEX: Final = re.compile(r"u([0-9A-Fa-f]{4})")
_OCTAL: Final = re.compile(r"0([0-7]{2})(?![0-7])")
_CODES: Final = {
    Dialect.PCRE: ((_TWO_HEX, 16), (_HEX_IN_BRACES, 16), (_OCTAL, 8)),
    Dialect.JAVA: ((_TWO_HEX, 16), (_HEX_IN_BRACES, 16), (_FOUR_HEX, 16), (_OCTAL, 8)),
    Dialect.RE2: ((_TWO_HEX, 16), (_HEX_IN_BRACES, 16), (_OCTAL, 8)),
    Dialect.ECMASCRIPT: ((_TWO_HEX, 16), (_FOUR_HEX, 16)),
}
_PROPERTY: Final = re.compile(r"([pP])(?:\{([A-Za-z]+)\}|([A-Z]))")


def read_escape(
    pattern: str, at: int, dialect: Dialect, *, in_class: bool = False
) -> tuple[frozenset[str] | Bound, int]:
    """The characters, or the assertion, of the escape whose backslash is before ``at``; and where it ends.

    Raises:
        RegexUnclearError: it is invalid, or not supported.

    """
    kind = pattern[at : at + 1]
    if not in_class and kind in _ANCHORS[dialect]:
        return _ANCHORS[dialect][kind], at + 1
    if in_class and kind == "b" and dialect in (Dialect.PCRE, Dialect.ECMASCRIPT):
        return frozenset("\b"), at + 1
    escapes = _ESCAPES[dialect]
    if kind in escapes:
        return escapes[kind], at + 1
    if kind and kind in _OPPOSITES and kind.lower() in escapes:
        return ASCII - escapes[kind.lower()], at + 1
    for code, base in _CODES[dialect]:
        if found := code.match(pattern, at):
            number = int(found[1], base)
            if number > 0x10FFFF:
                raise RegexUnclearError(f"\\{found[0]} is not a character")
            return frozenset(chr(number)), found.end()
    if found := _PROPERTY.match(pattern, at):
        return _property(found[2] or found[3], dialect, negated=found[1] == "P"), found.end()
    if kind and kind in "123456789k":
        raise RegexUnclearError(
            f"\\{kind} refers back to what a group matched, which RE2 cannot do", "Write out what it matches"
        )
    if not kind or (kind.isascii() and kind.isalnum()):
        raise RegexUnclearError(f"the escape \\{kind} is not supported", "Write the characters themselves")
    return frozenset(kind), at + 1


def _property(name: str, dialect: Dialect, *, negated: bool) -> frozenset[str]:
    if dialect is Dialect.JAVA and name in _JAVA_CLASSES:
        chars = _POSIX[_JAVA_CLASSES[name]]
    elif dialect is not Dialect.ECMASCRIPT and name in _CATEGORIES:
        chars = _of_category(name)
    else:
        raise RegexUnclearError(
            f"the class of characters \\p{{{name}}} is not supported", "Name the characters, as in [a-z]"
        )
    return ASCII - chars if negated else chars


@cache
def _of_category(name: str) -> frozenset[str]:
    return frozenset(char for char in ASCII if unicodedata.category(char).startswith(name))


def read_class(pattern: str, at: int, dialect: Dialect) -> tuple[frozenset[str], bool, int]:
    """The characters of the class whose bracket is before ``at``, whether it is negated, and where it ends.

    Raises:
        RegexUnclearError: it is invalid, or not supported.

    """
    negated = pattern.startswith("^", at)
    at += negated
    if pattern.startswith("]", at) and dialect in (Dialect.JAVA, Dialect.ECMASCRIPT):
        raise RegexUnclearError("a class begins with a bracket", "Write \\] for the character")
    chars: set[str] = set()
    first = True
    while first or not pattern.startswith("]", at):
        first = False
        low, at = _read_member(pattern, at, dialect)
        if not pattern.startswith("-", at) or pattern.startswith("-]", at):
            chars |= low
            continue
        if len(low) != 1:
            if pattern.startswith("--", at):
                raise RegexUnclearError("a range begins with a class", "Write \\- for the character")
            chars |= {*low, "-"}
            at += 1
            continue
        high, at = _read_member(pattern, at + 1, dialect)
        if len(high) != 1 or min(high) < min(low):
            raise RegexUnclearError("a range has no order", "Write \\- for the character")
        chars |= {chr(code) for code in range(ord(min(low)), min(ord(min(high)), 127) + 1)}
    return frozenset(chars), negated, at + 1


def _read_member(pattern: str, at: int, dialect: Dialect) -> tuple[frozenset[str], int]:
    if at >= len(pattern):
        raise RegexUnclearError("a class is not closed")
    if pattern[at] == "\\":
        member, end = read_escape(pattern, at + 1, dialect, in_class=True)
        if isinstance(member, Bound):
            raise RegexUnclearError("an anchor is in a class")
        return member, end
    if dialect is Dialect.JAVA and (pattern[at] == "[" or pattern.startswith("&&", at)):
        raise RegexUnclearError(
            "classes are united or intersected, which RE2 would read as characters",
            "Write one class with the characters, as in [a-z]",
        )
    if pattern[at] == "[" and dialect in (Dialect.PCRE, Dialect.RE2):
        if found := re.compile(r"\[:(\^?)([a-z]+):\]").match(pattern, at):
            if found[2] not in _POSIX:
                raise RegexUnclearError(f"the class [:{found[2]}:] is not supported")
            chars = _POSIX[found[2]]
            return ASCII - chars if found[1] else chars, found.end()
        if pattern.startswith(("[:", "[.", "[="), at):
            raise RegexUnclearError("a bracket in a class is unclear", "Write \\[ for the character")
    return frozenset(pattern[at]), at + 1
