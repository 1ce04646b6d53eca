"""A set of origins, asked per request: one look-up for exact origins, however many there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from crossgate.policy.names import NULL
from crossgate.policy.origin import MAX_LENGTH, is_well_formed
from crossgate.policy.pattern import (
    AnyOrigin,
    ExactOrigin,
    NullOrigin,
    OriginPattern,
    RegexOrigin,
    WildcardOrigin,
)

_ANY_PORT = "*"
"""Stands for any port in a wildcard's key; no origin has it."""


@dataclass(frozen=True, slots=True)
class OriginSet:
    """What a list of origin patterns admits; immutable, and fast to ask."""

    any_origin: bool
    exact: frozenset[str]
    """Serialised origins, ``null`` among them if it is allowed."""
    wildcards: tuple[WildcardOrigin, ...]
    regexes: tuple[RegexOrigin, ...]
    _by_suffix: frozenset[tuple[str, str, str, bool]]
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
        by_suffix = frozenset((w.scheme, w.host, _port_key(w), w.any_subdomain) for w in wildcards)
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
        if len(value) > MAX_LENGTH or not value.isascii():
            return False
        # The grammar is the dearest question and comes last: most of what strangers send fails before it.
        matched = self.any_origin or self._wildcard_admits(value) or self._regex_admits(value)
        return matched and is_well_formed(value)

    def _wildcard_admits(self, value: str) -> bool:
        """One look-up per label, however many wildcards there are; right for well-formed values.

        Of a long host no more is looked at than the longest suffix could match.
        """
        if not self._by_suffix:
            return False
        scheme, _, authority = value.partition("://")
        host, colon, port = authority.rpartition(":")
        if not colon or port.endswith("]"):
            host, port = authority, ""
        known = self._by_suffix
        if (scheme, host, _ANY_PORT, False) in known:
            return True
        rest = host[-self._longest_suffix - 1 :]
        while "." in rest:
            rest = rest.partition(".")[2]
            if (scheme, rest, port, True) in known or (scheme, rest, _ANY_PORT, True) in known:
                return True
        return False

    def _regex_admits(self, value: str) -> bool:
        encoded = value.encode()
        return any(regex.matcher.fullmatch(encoded) is not None for regex in self.regexes)


def _port_key(wildcard: WildcardOrigin) -> str:
    if wildcard.any_port:
        return _ANY_PORT
    return "" if wildcard.port is None else str(wildcard.port)
