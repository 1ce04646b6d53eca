"""Sets of origins, with a membership test of bounded cost.

Exact origins take one look-up, wildcards one for each label, and all regular expressions one automaton.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, assert_never

from crossgate.policy.names import NULL
from crossgate.policy.origin import (
    DEFAULT_PORT_PATTERN,
    LABEL_PATTERN,
    MAX_LENGTH,
    ORIGIN_PATTERN,
    PORT_PATTERN,
    is_hostless,
    is_well_formed,
    names_default_port,
)
from crossgate.policy.origin_pattern import (
    AnyOrigin,
    ExactOrigin,
    NullOrigin,
    OriginPattern,
    RegexOrigin,
    WildcardOrigin,
)
from crossgate.policy.re2 import RegexRefused, Search, compile_set


@dataclass(frozen=True, slots=True)
class OriginSet:
    """The origins that a list of patterns admits; immutable."""

    any_origin: bool
    exact: frozenset[str]
    """Serialised origins, ``null`` included if it is allowed."""
    wildcards: tuple[WildcardOrigin, ...]
    regexes: tuple[RegexOrigin, ...]
    by_pattern: bool
    """Whether the set has more than exact origins."""
    admits: Callable[[str], bool] = field(repr=False, compare=False)
    """Whether the set has the origin of a request, as in its header; the same as ``in``, and faster."""

    @classmethod
    def of(cls, patterns: Iterable[OriginPattern], also_exact: Iterable[str] = ()) -> OriginSet:
        """The set of the origins that any of the patterns admits, and of more serialised origins."""
        any_origin = False
        exact = set(also_exact)
        wildcards: list[WildcardOrigin] = []
        regexes: list[RegexOrigin] = []
        for pattern in patterns:
            match pattern:
                case ExactOrigin(value):
                    exact.add(value)
                case NullOrigin():
                    exact.add(NULL)
                case AnyOrigin():
                    any_origin = True
                case WildcardOrigin():
                    wildcards.append(pattern)
                case RegexOrigin():
                    regexes.append(pattern)
                case _ as never:
                    assert_never(never)
        by_pattern = _admit_any if any_origin else _admit_patterns(wildcards, regexes)
        return cls(
            any_origin,
            frozenset(exact),
            tuple(wildcards),
            tuple(regexes),
            by_pattern is not None,
            _admit_either(frozenset(exact), by_pattern),
        )

    def __contains__(self, value: str) -> bool:
        """Whether the set has the origin of a request, as in its header."""
        return self.admits(value)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickled without :attr:`admits`: functions cannot be, and compiled expressions take long to copy."""
        any_origin = (AnyOrigin(),) if self.any_origin else ()
        return OriginSet.of, ((*any_origin, *self.wildcards, *self.regexes), self.exact)


def _admit_either(exact: frozenset[str], by_pattern: Callable[[str], bool] | None) -> Callable[[str], bool]:
    if by_pattern is None:
        return exact.__contains__
    return lambda value: value in exact or by_pattern(value)


def _admit_any(value: str) -> bool:
    return value == NULL or is_well_formed(value) or is_hostless(value)


def _admit_patterns(
    wildcards: list[WildcardOrigin], regexes: list[RegexOrigin]
) -> Callable[[str], bool] | None:
    by_wildcard = _Wildcards(wildcards).admit if wildcards else None
    by_regex = _Regexes(regexes).admit if regexes else None
    if by_wildcard is not None and by_regex is not None:
        return lambda value: by_wildcard(value) or by_regex(value)
    return by_wildcard or by_regex


# A match of the star. The rest of the origin is the wildcard's own, and well-formed.
_LABELS: Final = re.compile(rf"{LABEL_PATTERN}(?:\.{LABEL_PATTERN})*")
_PORT: Final = re.compile(PORT_PATTERN)


class _Wildcards:
    """The origins that any of the wildcards admits, found by one look-up per label."""

    def __init__(self, wildcards: Iterable[WildcardOrigin]) -> None:
        self._below = _Suffixes()
        self._below_any_port = _Suffixes()
        self._any_port: set[str] = set()
        for wildcard in wildcards:
            port = "" if wildcard.port is None else f":{wildcard.port}"
            if wildcard.any_subdomain:
                suffixes = self._below_any_port if wildcard.any_port else self._below
                suffixes.add(f"{wildcard.scheme}://", f".{wildcard.host}{port}")
            else:
                self._any_port.add(f"{wildcard.scheme}://{wildcard.host}")

    def admit(self, value: str) -> bool:
        """Whether the value is a well-formed origin that a wildcard admits."""
        if len(value) > MAX_LENGTH:
            return False
        if self._below.admit(value):
            return True
        if not (self._any_port or self._below_any_port):
            return False
        without_port = _without_port(value)
        return without_port in self._any_port or self._below_any_port.admit(without_port)


class _Suffixes(dict[str, tuple[str, ...]]):
    """The ends and beginnings of wildcards: ``.example.com`` and ``https://``."""

    _longest = 0

    def add(self, prefix: str, suffix: str) -> None:
        self[suffix] = (*self.get(suffix, ()), prefix)
        self._longest = max(self._longest, len(suffix))

    def admit(self, value: str) -> bool:
        """Whether a wildcard matches; of a long value, only as much is read as the longest suffix has."""
        dot = value.find(".", max(0, len(value) - self._longest))
        while dot >= 0:
            for prefix in self.get(value[dot:], ()):
                if value.startswith(prefix):
                    return _LABELS.fullmatch(value, len(prefix), dot) is not None
            dot = value.find(".", dot + 1)
        return False


def _without_port(value: str) -> str:
    """The origin on its scheme's default port; empty if it names the default port."""
    before, _, port = value.rpartition(":")
    if not _PORT.fullmatch(port):
        return value
    return "" if names_default_port(value) else before


_ORIGIN, _DEFAULT_PORT = 0, 1
_GRAMMAR: Final = (f"{NULL}|{ORIGIN_PATTERN}", DEFAULT_PORT_PATTERN)


class _Regexes:
    """The origins that any expression matches. One automaton has all of them and the grammar of origins."""

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

    # Compiled at the first use: the control plane holds thousands of policies and decides nothing with them.
    @cached_property
    def _search(self) -> Search | None:
        try:
            return compile_set((*_GRAMMAR, *(regex.pattern for regex in self._regexes)))
        except RegexRefused:
            return None

    def _admit_each(self, value: str) -> bool:
        """Whether an expression matches, where RE2 takes each of them, but not all together."""
        if value != NULL and not is_well_formed(value):
            return False
        encoded = value.encode()
        return any(regex.matcher.fullmatch(encoded) is not None for regex in self._regexes)
