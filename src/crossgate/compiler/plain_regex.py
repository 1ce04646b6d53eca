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

_QUANTIFIER = r"(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})?"
# A range ends where it began: one from a dot to z would hold brackets and capitals.
_CLASS = r"\[(?:[a-z]-[a-z]|[0-9]-[0-9]|[a-z0-9_])+-?\]"
_ATOM = rf"(?:[a-z0-9_-]|\\[.d-]|{_CLASS})"
_PIECE = rf"{_ATOM}{_QUANTIFIER}"
_GROUP = rf"\((?:\?:)?(?:{_PIECE}|\|)*\){_QUANTIFIER}"
# No bar stands outside of a group, so every match begins and ends as it is written here.
_PLAIN = re.compile(rf"http(?:s\??)?://(?:{_PIECE}|{_GROUP})*\\\.[a-z]+")

PLAIN_ORIGIN: Final = r"https?://(?:[a-z0-9_-]+\.)+[a-z]+"
"""The well-formed origins among all that a plain expression can match: no port, and no number at the end."""


@lru_cache(maxsize=256)
def is_plain(regex: str) -> bool:
    """Whether :data:`PLAIN_ORIGIN` is check enough for all that the expression matches.

    That is ``http`` or ``https``, ``://``, then small letters, digits, ``_``, ``-`` and dots, and at the end
    a dot and letters. False for what is not seen to be so at a glance.
    """
    return _PLAIN.fullmatch(regex) is not None
