"""RE2, as Envoy runs it: UTF-8, linear time, nothing logged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Protocol, cast

import re2


class Matcher(Protocol):
    """A compiled regular expression, asked about whole values only.

    It takes bytes: the binding spends four fifths of a look at text on translating offsets.
    """

    def fullmatch(self, text: bytes) -> object | None:
        """Something if the expression matches the whole of ``text``, else None."""


Search = Callable[[bytes], Sequence[int] | None]
"""Which expressions match the whole of a value: their indices, in any order; None if none does."""


class RegexRefused(ValueError):  # noqa: N818 - the name says who refused what
    """RE2 does not accept the expression; the message is RE2's own."""


def compile_regex(pattern: str) -> Matcher:
    """Compile with the options that Envoy compiles with, so that both agree on every value.

    Raises:
        RegexRefused: RE2 does not accept ``pattern``.

    """
    try:
        return cast("Matcher", re2.compile(pattern.encode(), options=_options()))
    except UnicodeEncodeError:
        raise RegexRefused("half a surrogate pair is no character") from None
    except re2.error as refused:
        raise RegexRefused(_reason(refused)) from None


def compile_set(patterns: Iterable[str]) -> Search:
    """One automaton for all the expressions, which reads a value once however many they are.

    Where nothing is asked but what matches, the binding takes half as long as a Matcher's, even for one.

    Raises:
        RegexRefused: RE2 does not accept one of them, or all together are too large for it.

    """
    together = re2.Set.FullMatchSet(options=_options())
    try:
        for pattern in patterns:
            together.Add(pattern.encode())
        together.Compile()
    except re2.error as refused:
        raise RegexRefused(_reason(refused)) from None
    return cast("Search", together.Match)


@cache
def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    return options


def _reason(refused: Exception) -> str:
    argument = refused.args[0] if refused.args else refused
    return argument.decode("utf-8", "replace") if isinstance(argument, bytes) else str(argument)
