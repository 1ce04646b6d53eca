"""``Access-Control-Request-Headers``: a list of names, read in bounded work whatever it holds.

Only a short value is split: thousands of elements would be thousands of objects. RE2 reads any other value
once, at two nanoseconds a byte, after long runs of separators in front are skipped.
"""

from __future__ import annotations

from functools import cached_property
from itertools import islice
from typing import AnyStr, Final, NamedTuple

from crossgate.policy.names import ANY, TOKEN_PATTERN
from crossgate.policy.re2 import Search, compile_set, in_any_case

AUTHORIZATION: Final = "authorization"
"""The one name that ``*`` does not cover (https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name)."""

MAX_LIST_LENGTH: Final = 64 * 1024
"""Characters of the longest value that is read, not counting long runs of separators in front; a longer value
is refused. By default, the gateway accepts no longer request head."""

_MANY: Final = 256
"""More names are too many for one expression: its automaton has a state for each of their letters."""

_SEPARATORS: Final = frozenset({",", " ", "\t", b",", b" ", b"\t"})
_RUN: Final = 4096
_SHORT: Final = 256


class ListRegexes(NamedTuple):
    """RE2 expressions for the lists of allowed names."""

    allowed: str
    """A value must match it as a whole."""
    refused: str
    """A value must not match it as a whole; empty if there is no such expression."""


def list_regexes(names: tuple[str, ...]) -> ListRegexes:
    """The expressions for lists of these names in any case; ``*`` covers every name but ``Authorization``.

    Spaces around elements and empty elements do not count (RFC 9110, section 5.6.1).
    """
    lower = sorted({name.lower() for name in names})
    if ANY not in lower:
        element = "|".join(map(in_any_case, lower))
        return ListRegexes(_list_of(f"(?:{element})") if element else r"[ \t,]*", "")
    refused = "" if AUTHORIZATION in lower else rf"(?:\C*[ \t,])?{in_any_case(AUTHORIZATION)}(?:[ \t,]\C*)?"
    return ListRegexes(_list_of(TOKEN_PATTERN), refused)


def _list_of(element: str) -> str:
    return rf"[ \t,]*(?:{element}[ \t]*(?:,[ \t,]*|$))*"


class HeaderNames:
    """The header names that a policy allows, for whole header values."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = frozenset(name.lower() for name in names)

    def admit(self, value: str) -> bool:
        """Whether every element of the value is an allowed name; empty elements do not count."""
        # As browsers send it: lower case, no spaces (Fetch, CORS-unsafe request-header names).
        if not value or (len(value) <= _SHORT and self._names.issuperset(value.split(","))):
            return True
        if len(value) > _RUN:
            value = skip_separators(value)
        if len(value) > MAX_LIST_LENGTH or not value.isascii():
            return False
        if len(self._names) > _MANY and ANY not in self._names:
            return self._admit_each(value)
        return self._search(value.encode()) == [_ALLOWED]

    def find_refused(self, value: str, most: int) -> tuple[str, ...]:
        """The first names in the value that are not allowed, in lower case; none if the value is too long."""
        value = skip_separators(value)
        if len(value) > MAX_LIST_LENGTH:
            return ()
        elements = dict.fromkeys(element.strip(" \t") for element in value.lower().split(","))
        return tuple(islice((name for name in elements if not self.admit(name)), most))

    @property
    def any_name(self) -> bool:
        """Whether ``*`` is listed."""
        return ANY in self._names

    # Compiled at the first use: the control plane holds thousands of policies and decides nothing with them.
    @cached_property
    def _search(self) -> Search:
        return compile_set(filter(None, list_regexes(tuple(self._names))))

    def _admit_each(self, value: str) -> bool:
        """Whether each name is allowed, without an expression. The set drops repetitions of a name."""
        names = (element.strip(" \t") for element in set(value.lower().split(",")))
        return all(name in self._names for name in names if name)


_ALLOWED: Final = ListRegexes._fields.index("allowed")


def skip_separators(value: AnyStr) -> AnyStr:
    """The value without the long runs of one separator at its beginning: an equivalent list.

    Comparing memory is a hundred times as fast as looking at each character.
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
