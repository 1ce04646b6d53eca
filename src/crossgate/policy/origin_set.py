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

_LONGEST_PORT = len(":65535")


@dataclass(frozen=True, slots=True)
class OriginSet:
    """What a list of origin patterns admits; immutable, and fast to ask."""

    any_origin: bool
    exact: frozenset[str]
    """Serialised origins, ``null`` among them if it is allowed."""
    wildcards: tuple[WildcardOrigin, ...]
    regexes: tuple[RegexOrigin, ...]
    _written: frozenset[str]
    """The wildcards, as they are written."""
    _any_port: bool
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
        return cls(
            any_origin,
            frozenset(exact),
            tuple(wildcards),
            tuple(regexes),
            _written=frozenset(map(str, wildcards)),
            _any_port=any(wildcard.any_port for wildcard in wildcards),
            _longest_suffix=max((len(wildcard.host) for wildcard in wildcards), default=0) + _LONGEST_PORT,
        )

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
        matched = (
            self.any_origin
            or (self.wildcards and self._wildcard_admits(value))
            or (self.regexes and self._regex_admits(value))
        )
        return bool(matched) and is_well_formed(value)

    def _wildcard_admits(self, value: str) -> bool:
        """One look-up per label, however many wildcards there are; right for well-formed values.

        Of a long host no more is looked at than the longest suffix could match.
        """
        scheme, _, authority = value.partition("://")
        host = _without_port(authority) if self._any_port else ""
        if host and f"{scheme}://{host}:*" in self._written:
            return True
        dot = authority.find(".", max(0, len(authority) - self._longest_suffix - 1))
        while dot >= 0:
            if f"{scheme}://*{authority[dot:]}" in self._written:
                return True
            if host and f"{scheme}://*{host[dot:]}:*" in self._written:
                return True
            dot = authority.find(".", dot + 1)
        return False

    def _regex_admits(self, value: str) -> bool:
        encoded = value.encode()
        return any(regex.matcher.fullmatch(encoded) is not None for regex in self.regexes)


def _without_port(authority: str) -> str:
    host, colon, port = authority.rpartition(":")
    return authority if not colon or port.endswith("]") else host
