"""``Access-Control-Request-Headers``: a list of names, in bounded work whatever it holds.

Only a short value is taken apart, for thousands of elements would be thousands of objects: RE2 reads another
once, at two nanoseconds a byte. Of what is too long for that, separators in front are skipped faster.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from functools import cached_property
from typing import AnyStr, Final

from crossgate.policy.memory import remembering
from crossgate.policy.names import ANY, TOKEN_PATTERN
from crossgate.policy.regex import compile_set

AUTHORIZATION: Final = "authorization"
"""The one name that ``*`` does not cover (Fetch, CORS-unsafe request-header names)."""

LONGEST_LIST: Final = 32 * 1024
"""Bytes of the longest value that is read, long runs of separators in front aside; a longer one is not
admitted. It is twice what the gateway takes for a whole request head."""


def list_pattern(element: str) -> str:
    """A whole value that is a list of ``element``, in RE2's syntax; empty elements are none."""
    return rf"[ \t,]*(?:{element}[ \t]*(?:,[ \t,]*|$))*"


LIST_PATTERN: Final = list_pattern(TOKEN_PATTERN)
"""A whole value that is a list of tokens: what ``*`` admits, ``Authorization`` aside."""

_MANY: Final = 256
"""So many names are too many for one expression: its automaton has a state for every letter of them."""

_SEPARATORS: Final = frozenset({",", " ", "\t", b",", b" ", b"\t"})
_RUN: Final = 4096
_SHORT: Final = 256
LONGEST_REMEMBERED: Final = 2048


class HeaderNames:
    """The header names that a policy allows, asked about whole header values."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = frozenset(name.lower() for name in names)

    def admit(self, value: str) -> bool:
        """Whether every element of the value is an allowed name; empty elements are none."""
        # As browsers write it: lower case, no blanks (Fetch, CORS-unsafe request-header names).
        if not value or (len(value) <= _SHORT and self._names.issuperset(value.split(","))):
            return True
        if len(value) > _RUN:
            value = skip_separators(value)
        if len(value) > LONGEST_LIST or not value.isascii():
            return False
        if len(self._names) > _MANY and ANY not in self._names:
            return self._admit_each(value)
        return self._matches(value)

    # Compiled when first asked: the control plane holds thousands of policies and asks none of them.
    @cached_property
    def _matches(self) -> Callable[[str], bool]:
        search = compile_set([self._pattern()])
        return remembering(lambda value: bool(search(value.encode())), LONGEST_REMEMBERED)

    def _pattern(self) -> str:
        if ANY not in self._names:
            # Folding the case is safe since the value is ASCII: else (?i:k) would be the Kelvin sign too.
            names = "|".join(re.escape(name) for name in sorted(self._names))
            return list_pattern(f"(?i:{names})") if names else r"[ \t,]*"
        return LIST_PATTERN if AUTHORIZATION in self._names else list_pattern(_any_token_but(AUTHORIZATION))

    def _admit_each(self, value: str) -> bool:
        """The set is for repetitions: what is left to look at one by one is few, or fails at once."""
        names = (element.strip(" \t") for element in set(value.lower().split(",")))
        return all(name in self._names for name in names if name)


def skip_separators(value: AnyStr) -> AnyStr:
    """The value without the long runs of one separator that it begins with: the same list.

    Comparing memory is a hundred times as fast as looking at each character, whoever does it.
    """
    start = skipped = 0
    while value[start : start + 1] in _SEPARATORS:
        run = value[start : start + 1] * _RUN
        while value.startswith(run, start):
            start += _RUN
        if start == skipped:
            break
        skipped = start
    return value[start:] if start else value


def _any_token_but(name: str) -> str:
    """RE2 has no look-ahead: a token is another one where it differs in a letter, ends early, or goes on."""
    rest = TOKEN_PATTERN
    for letter in reversed(name):
        others = string.ascii_lowercase.replace(letter, "")
        other = rf"[!#$%&'*+\-.^_`|~0-9{others}{others.upper()}]"
        ends_early = "" if rest is TOKEN_PATTERN else "?"
        rest = f"(?:{other}(?:{TOKEN_PATTERN})?|(?i:{letter})(?:{rest}){ends_early})"
    return rest
