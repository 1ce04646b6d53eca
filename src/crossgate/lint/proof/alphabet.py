r"""The characters of origins, and which of them a token of an expression matches.

Only ASCII: browsers serialise every origin in it, so no other character can decide a match.

The meaning of ``.``, ``\w``, ``[[:alpha:]]``, ``\pL``, case folding and the like is not written down here.
RE2 answers instead: a second implementation would be a second dialect, and its first difference a false
proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import re2

from crossgate.lint.proof.bitset import CharSet
from crossgate.policy.origin import LABEL_PATTERN

SIZE: Final = 128
EVERY: Final = CharSet((1 << SIZE) - 1)
ASCII: Final = "".join(map(chr, range(SIZE)))


def charset(chars: Iterable[str]) -> CharSet:
    """The set of the given characters."""
    found = 0
    for char in chars:
        found |= 1 << ord(char)
    return CharSet(found)


def members(chars: CharSet) -> Iterator[str]:
    """The characters of a set, in the order of their codes."""
    left: int = chars
    while left:
        low = left & -left
        yield ASCII[low.bit_length() - 1]
        left ^= low


@lru_cache(maxsize=4096)
def chars_of_token(token: str, *, fold_case: bool, dot_all: bool) -> CharSet:
    """The ASCII characters that a token matches under the given flags; RE2 must accept the token."""
    flags = ("i" if fold_case else "") + ("s" if dot_all else "")
    options = re2.Options()
    options.log_errors = False
    runs = re2.compile(f"(?{flags}:(?:{token})+)".encode(), options=options)
    chars = 0
    for run in runs.finditer(ASCII.encode()):
        start, end = run.span()
        chars |= (1 << end) - (1 << start)
    return CharSet(chars)


LETTERS: Final = charset("abcdefghijklmnopqrstuvwxyz")
DIGITS: Final = charset("0123456789")
ALNUM: Final = CharSet(LETTERS | DIGITS)
HYPHEN: Final = charset("-")
UNDERSCORE: Final = charset("_")
DOT: Final = charset(".")
WORD: Final = CharSet(ALNUM | UNDERSCORE | charset("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
"""The word characters of RE2's ``\\b``: ASCII, whatever the flags."""
NEWLINE: Final = charset("\n")

_LABEL: Final = re2.compile(LABEL_PATTERN)
LABEL: Final = charset(char for char in ASCII if _LABEL.fullmatch(char))
"""The characters of a label of a host, by the grammar that the gateway enforces."""
HOST: Final = CharSet(LABEL | DOT)
PUNCTUATION: Final = CharSet(LABEL & ~(ALNUM | HYPHEN | UNDERSCORE))
"""Characters that the URL standard allows in a host and no name in the public DNS has."""

PREFERRED: Final = tuple(dict.fromkeys("xabcdefghijklmnopqrstuvwyz0123456789-_." + ASCII))
"""Every character, plain ones first: the order in which a character is chosen to be shown."""


@lru_cache(maxsize=16384)
def exemplar(chars: CharSet) -> str:
    """The character to show for a set that is not empty: a plain one if it has any."""
    return next(char for char in PREFERRED if chars >> ord(char) & 1)
