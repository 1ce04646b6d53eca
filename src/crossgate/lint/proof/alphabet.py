"""The characters an origin is made of, as sets: an integer with bit ``n`` set for the character ``n``.

Only ASCII: browsers serialise every origin in it, so no other character can decide a match.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import re2

from crossgate.policy.origin import LABEL_PATTERN

SIZE: Final = 128
EVERY: Final = (1 << SIZE) - 1
ASCII: Final = "".join(map(chr, range(SIZE)))


def charset(chars: Iterable[str]) -> int:
    """The set of the given characters."""
    bits = 0
    for char in chars:
        bits |= 1 << ord(char)
    return bits


def members(chars: int) -> Iterator[str]:
    """The characters of a set, in the order of their codes."""
    while chars:
        low = chars & -chars
        yield ASCII[low.bit_length() - 1]
        chars ^= low


LETTERS: Final = charset("abcdefghijklmnopqrstuvwxyz")
DIGITS: Final = charset("0123456789")
ALNUM: Final = LETTERS | DIGITS
HYPHEN: Final = charset("-")
DOT: Final = charset(".")
WORD: Final = ALNUM | charset("ABCDEFGHIJKLMNOPQRSTUVWXYZ_")
"""What RE2's ``\\b`` takes for a word: ASCII, whatever the flags."""
NEWLINE: Final = charset("\n")

_LABEL: Final = re2.compile(LABEL_PATTERN)
LABEL: Final = charset(char for char in ASCII if _LABEL.fullmatch(char))
"""What may stand in a label of a host, by the grammar that the gateway enforces."""
HOST: Final = LABEL | DOT
PUNCTUATION: Final = LABEL & ~(ALNUM | HYPHEN | charset("_"))
"""What the URL standard leaves standing in a host and no name in the public DNS has."""

PREFERRED: Final = tuple(dict.fromkeys("xabcdefghijklmnopqrstuvwyz0123456789-_." + ASCII))
"""Every character, plain ones first: the order in which one is chosen to be shown."""


@lru_cache(maxsize=16384)
def exemplar(chars: int) -> str:
    """The character to show for a set: a plain one if it has any; the set is not empty."""
    return next(char for char in PREFERRED if chars >> ord(char) & 1)
