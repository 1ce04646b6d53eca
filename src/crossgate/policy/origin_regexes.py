"""Origins by regular expression: all expressions, and the grammar of origins, are one automaton of RE2."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Final

from crossgate.policy.names import NULL
from crossgate.policy.origin import DEFAULT_PORT_PATTERN, MAX_LENGTH, ORIGIN_PATTERN, is_well_formed
from crossgate.policy.pattern import RegexOrigin
from crossgate.policy.regex import RegexRefused, Search, compile_set

_ORIGIN, _DEFAULT_PORT = 0, 1
_GRAMMAR: Final = (f"{NULL}|{ORIGIN_PATTERN}", DEFAULT_PORT_PATTERN)


class OriginRegexes:
    """The origins that any of the expressions matches; read once, however many expressions there are."""

    def __init__(self, regexes: Iterable[RegexOrigin]) -> None:
        self._regexes = tuple(regexes)

    def admit(self, value: str) -> bool:
        """Whether an expression matches all of the value, and it is a well-formed origin or ``null``."""
        if len(value) > MAX_LENGTH or not value.isascii():
            return False
        if self._search is None:
            return self._admit_each(value)
        found = self._search(value.encode()) or ()
        return len(found) > 1 and _ORIGIN in found and _DEFAULT_PORT not in found

    # Compiled when first asked: the control plane holds thousands of policies and asks none of them.
    @cached_property
    def _search(self) -> Search | None:
        try:
            return compile_set((*_GRAMMAR, *(regex.pattern for regex in self._regexes)))
        except RegexRefused:
            return None

    def _admit_each(self, value: str) -> bool:
        """For expressions that RE2 takes one by one, but not together."""
        if value != NULL and not is_well_formed(value):
            return False
        encoded = value.encode()
        return any(regex.matcher.fullmatch(encoded) is not None for regex in self._regexes)
