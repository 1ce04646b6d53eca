r"""Plain expressions: regular expressions that match only well-formed origins, empty labels aside.

An expression of a policy allows an origin only if the origin is well-formed. Checking that with the whole
grammar of origins takes Envoy an automaton that is nearly as expensive to build as the rest of an API. Most
expressions match only host names under a literal suffix, as ``https://pr-[0-9]+\.example\.com`` does. What
those match can be malformed in one way: with an empty label.

The expressions here recognise such expressions by their syntax. They must never accept another one: the
policy would then allow malformed origins. ``tests/property/lint/test_plain_regex.py`` compares them with the
proof's automata.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# RE2 reads a count with a leading zero literally: a{01,} matches "a{01,}".
_COUNT = "(?:0|[1-9][0-9]*)"
_QUANTIFIER = rf"(?:[*+?]|\{{{_COUNT}(?:,{_COUNT}?)?\}})?"
# Both ends of a range are of the same kind: a range from the dot to z would contain brackets and capitals.
_CLASS = r"\[(?:[a-z]-[a-z]|[0-9]-[0-9]|[a-z0-9_])+-?\]"
_ATOM = rf"(?:[a-z0-9_-]|\\[.d-]|{_CLASS})"
_PIECE = rf"{_ATOM}{_QUANTIFIER}"
_GROUP = rf"\((?:\?:)?(?:{_PIECE}|\|)*\){_QUANTIFIER}"
# Without a bar outside of groups, every match begins and ends as this expression does.
_PLAIN = re.compile(rf"http(?:s\??)?://(?:{_PIECE}|{_GROUP})*\\\.[a-z]+")

# A label with at least one character that is not optional.
_IN_LABEL = rf"(?:[a-z0-9_-]|\\[d-]|{_CLASS})"
_SURE = rf"(?:\+|\{{[1-9][0-9]*(?:,{_COUNT}?)?\}})?(?![*?{{])"
_LABEL = rf"(?:{_IN_LABEL}{_QUANTIFIER})*?{_IN_LABEL}{_SURE}(?:{_IN_LABEL}{_QUANTIFIER})*"
_LABELS = re.compile(rf"http(?:s\??)?://(?:{_LABEL}\\\.|\((?:\?:)?{_LABEL}\\\.\){_QUANTIFIER})*[a-z]+")

_LONGEST: Final = 200
"""Characters; :func:`has_labels` does not examine longer expressions, because its time is quadratic."""

EMPTY_LABEL: Final = r"\C*[/.]\.\C*"
"""The malformed origins among all that plain expressions match."""


@lru_cache(maxsize=256)
def is_plain(regex: str) -> bool:
    """Whether all malformed origins that the expression matches are also matched by :data:`EMPTY_LABEL`.

    Its matches are then ``http`` or ``https``, ``://``, lower-case letters, digits, ``_``, ``-`` and dots,
    and finally a dot and letters. False for expressions whose syntax does not show it.
    """
    return _PLAIN.fullmatch(regex) is not None


@lru_cache(maxsize=256)
def has_labels(regex: str) -> bool:
    """Whether a plain expression matches no empty label: all its matches are then well-formed.

    False for expressions whose syntax does not show it.
    """
    return len(regex) <= _LONGEST and _LABELS.fullmatch(regex) is not None
