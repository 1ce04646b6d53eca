r"""Which regular expressions can only match something that is almost a well-formed origin.

What an expression matches is admitted only if it is a well-formed origin. The whole grammar of origins is an
automaton that takes Envoy nearly as long to build as the rest of an API. Most expressions match nothing but
host names under a suffix that is written out, as in ``https://pr-[0-9]+\.example\.com``: all that can be
wrong with those is an empty label.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# RE2 takes a count with a leading zero for literal text: a{01,} matches "a{01,}".
_COUNT = "(?:0|[1-9][0-9]*)"
_QUANTIFIER = rf"(?:[*+?]|\{{{_COUNT}(?:,{_COUNT}?)?\}})?"
# A range ends where it began: one from a dot to z would hold brackets and capitals.
_CLASS = r"\[(?:[a-z]-[a-z]|[0-9]-[0-9]|[a-z0-9_])+-?\]"
_ATOM = rf"(?:[a-z0-9_-]|\\[.d-]|{_CLASS})"
_PIECE = rf"{_ATOM}{_QUANTIFIER}"
_GROUP = rf"\((?:\?:)?(?:{_PIECE}|\|)*\){_QUANTIFIER}"
# No bar stands outside of a group, so every match begins and ends as it is written here.
_PLAIN = re.compile(rf"http(?:s\??)?://(?:{_PIECE}|{_GROUP})*\\\.[a-z]+")

# A label of which at least one character is sure to be there.
_IN_LABEL = rf"(?:[a-z0-9_-]|\\[d-]|{_CLASS})"
_SURE = rf"(?:\+|\{{[1-9][0-9]*(?:,{_COUNT}?)?\}})?(?![*?{{])"
_LABEL = rf"(?:{_IN_LABEL}{_QUANTIFIER})*?{_IN_LABEL}{_SURE}(?:{_IN_LABEL}{_QUANTIFIER})*"
_LABELS = re.compile(rf"http(?:s\??)?://(?:{_LABEL}\\\.|\((?:\?:)?{_LABEL}\\\.\){_QUANTIFIER})*[a-z]+")

_LONGEST: Final = 200
"""Longer expressions are not read for their labels, which takes a time that grows with the square of them."""

EMPTY_LABEL: Final = r"\C*[/.]\.\C*"
"""What is ill-formed among all that a plain expression can match."""


@lru_cache(maxsize=256)
def is_plain(regex: str) -> bool:
    """Whether the expression matches no ill-formed origin but those of :data:`EMPTY_LABEL`.

    That is ``http`` or ``https``, ``://``, then small letters, digits, ``_``, ``-`` and dots, and at the end
    a dot and letters. False for what is not seen to be so at a glance.
    """
    return _PLAIN.fullmatch(regex) is not None


@lru_cache(maxsize=256)
def has_labels(regex: str) -> bool:
    """Whether a plain expression matches no empty label, so that all that it matches is well-formed.

    False for what is not seen to be so at a glance.
    """
    return len(regex) <= _LONGEST and _LABELS.fullmatch(regex) is not None
