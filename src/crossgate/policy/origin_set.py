"""A set of origins, asked per request: one look-up for exact origins, however many there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from crossgate.policy.names import NULL
from crossgate.policy.origin import Origin, is_well_formed
from crossgate.policy.pattern import (
    AnyOrigin,
    ExactOrigin,
    NullOrigin,
    OriginPattern,
    RegexOrigin,
    WildcardOrigin,
)

_ANY_PORT = -1
"""Stands for any port in a wildcard's key; no origin has it."""


@dataclass(frozen=True, slots=True)
class OriginSet:
    """What a list of origin patterns admits; immutable, and fast to ask."""

    any_origin: bool
    exact: frozenset[str]
    """Serialised origins, ``null`` among them if it is allowed."""
    wildcards: tuple[WildcardOrigin, ...]
    regexes: tuple[RegexOrigin, ...]
    _by_suffix: frozenset[tuple[str, str, int | None, bool]]
    _longest_suffix: int

    @classmethod
    def of(cls, patterns: Iterable[OriginPattern], also_exact: Iterable[str] = ()) -> OriginSet:
        """The set of what any of the patterns admits, and of further serialised origins."""
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
        by_suffix = frozenset(
            (w.scheme, w.host, _ANY_PORT if w.any_port else w.port, w.any_subdomain) for w in wildcards
        )
        longest = max((len(w.host) for w in wildcards), default=0)
        return cls(any_origin, frozenset(exact), tuple(wildcards), tuple(regexes), by_suffix, longest)

    def __contains__(self, value: str) -> bool:
        """Whether a request's origin, as it stands in the header, is one of these."""
        if value in self.exact:
            return True
        if not (self.any_origin or self.wildcards or self.regexes):
            return False
        if value == NULL:
            return self.any_origin or self._regex_admits(value)
        if not is_well_formed(value):
            return False
        return self.any_origin or self._wildcard_admits(value) or self._regex_admits(value)

    def _wildcard_admits(self, value: str) -> bool:
        """One look-up per label, however many wildcards there are."""
        if not self._by_suffix:
            return False
        origin = Origin.of(value)
        if self._names(origin, origin.host, below=False):
            return True
        # What is longer than the longest suffix is skipped: thousands of labels would be hashed each with all
        # that follow, which is quadratic.
        dot = origin.host.find(".", max(0, len(origin.host) - self._longest_suffix - 1))
        while dot >= 0:
            if self._names(origin, origin.host[dot + 1 :], below=True):
                return True
            dot = origin.host.find(".", dot + 1)
        return False

    def _names(self, origin: Origin, host: str, *, below: bool) -> bool:
        return any((origin.scheme, host, port, below) in self._by_suffix for port in (origin.port, _ANY_PORT))

    def _regex_admits(self, value: str) -> bool:
        encoded = value.encode()
        return any(regex.matcher.fullmatch(encoded) is not None for regex in self.regexes)
