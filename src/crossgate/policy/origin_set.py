"""A set of origins, asked per request: one look-up for exact origins, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, assert_never

from crossgate.policy.memory import remembering
from crossgate.policy.names import NULL
from crossgate.policy.origin import is_well_formed
from crossgate.policy.origin_regexes import OriginRegexes
from crossgate.policy.origin_wildcards import OriginWildcards
from crossgate.policy.pattern import (
    AnyOrigin,
    ExactOrigin,
    NullOrigin,
    OriginPattern,
    RegexOrigin,
    WildcardOrigin,
)

LONGEST_REMEMBERED: Final = 255
"""No longer origin is anybody's (RFC 1035, §2.3.4), and what strangers make us keep is bounded."""


@dataclass(frozen=True, slots=True)
class OriginSet:
    """What a list of origin patterns admits; immutable, and fast to ask."""

    any_origin: bool
    exact: frozenset[str]
    """Serialised origins, ``null`` among them if it is allowed."""
    wildcards: tuple[WildcardOrigin, ...]
    regexes: tuple[RegexOrigin, ...]
    _by_pattern: Callable[[str], bool] | None = field(repr=False, compare=False)
    """Whether a pattern admits an origin; None if there is no pattern."""

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
        by_pattern = _by_pattern(wildcards, regexes, any_origin=any_origin)
        return cls(
            any_origin,
            frozenset(exact),
            tuple(wildcards),
            tuple(regexes),
            None if by_pattern is None else remembering(by_pattern, LONGEST_REMEMBERED),
        )

    @property
    def by_pattern(self) -> bool:
        """Whether there is anything in the set but exact origins."""
        return self._by_pattern is not None

    def __contains__(self, value: str) -> bool:
        """Whether a request's origin, as it stands in the header, is one of these."""
        return value in self.exact or (self._by_pattern is not None and self._by_pattern(value))


def _by_pattern(
    wildcards: list[WildcardOrigin], regexes: list[RegexOrigin], *, any_origin: bool
) -> Callable[[str], bool] | None:
    if any_origin:
        return lambda value: value == NULL or is_well_formed(value)
    if not regexes:
        return OriginWildcards(wildcards).admit if wildcards else None
    by_regex = OriginRegexes(regexes).admit
    if not wildcards:
        return by_regex
    by_wildcard = OriginWildcards(wildcards).admit
    return lambda value: by_wildcard(value) or by_regex(value)
