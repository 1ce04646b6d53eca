"""Which entries of a policy include others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from crossgate.lint.proof import Verdict, included
from crossgate.lint.subject import OriginEntry, Subject
from crossgate.policy import (
    AnyOrigin,
    ExactOrigin,
    NullOrigin,
    OriginPattern,
    OriginSet,
    RegexOrigin,
    WildcardOrigin,
)

_MOST_COMPARED: Final = 24
"""Patterns that are compared with one another; beyond that the work would grow with the square."""
_MANY: Final = 256
"""Entries times patterns."""
_ANY_LABEL: Final = "any-name-at-all"


def admits_any_subdomain(entry: OriginEntry) -> bool:
    """Whether the entry admits whatever name below one of its domains."""
    match entry.pattern:
        case WildcardOrigin(any_subdomain=any_subdomain):
            return any_subdomain
        case RegexOrigin(matcher=matcher):
            return any(
                matcher.fullmatch(f"https://{_ANY_LABEL}.{domain}".encode()) is not None
                for domain in entry.proof.domains
            )
        case _:
            return False


def _admits(entry: OriginEntry, origin: str) -> bool:
    """Whether a pattern admits a well-formed origin."""
    if isinstance(entry.pattern, RegexOrigin):
        # A set of its own would be compiled once more, which takes longer than all else here.
        return entry.pattern.matcher.fullmatch(origin.encode()) is not None
    return origin in _only(entry.pattern)


@lru_cache(maxsize=1024)
def _only(pattern: OriginPattern) -> OriginSet:
    return OriginSet.of([pattern])


def shadowed_entries(subject: Subject) -> Iterator[tuple[OriginEntry, OriginEntry]]:
    """Entries of which all is admitted by another, with that one."""
    patterns = [e for e in subject.entries if isinstance(e.pattern, WildcardOrigin | RegexOrigin)]
    # One set of all is made only where it pays: that takes longer than asking a few.
    many = len(patterns) * len(subject.entries) > _MANY
    together = OriginSet.of([entry.pattern for entry in patterns]) if many else None
    for entry in subject.entries:
        match entry.pattern:
            case ExactOrigin(value):
                if together is None or value in together:
                    other = next((other for other in patterns if _admits(other, value)), None)
                    if other is not None:
                        yield entry, other
            case WildcardOrigin() | RegexOrigin():
                other = _find_wider(entry, patterns[:_MOST_COMPARED])
                if other is not None:
                    yield entry, other
            case AnyOrigin() | NullOrigin():
                pass


def _may_include(other: OriginEntry, entry: OriginEntry) -> bool:
    """False if the proofs and one origin already show that ``other`` does not admit all of ``entry``."""
    proof, wider = entry.proof, other.proof
    if proof.verdict is wider.verdict is Verdict.PROVED and not set(proof.domains) <= set(wider.domains):
        return False
    return proof.example is None or _admits(other, proof.example)


def _find_wider(entry: OriginEntry, others: list[OriginEntry]) -> OriginEntry | None:
    if entry not in others:
        return None
    for other in others:
        if other.pattern == entry.pattern or not _may_include(other, entry):
            continue
        if included(entry.regex, other.regex).holds is not True:
            continue
        # Of two that admit the same, the earlier stays.
        if other.index < entry.index or included(other.regex, entry.regex).holds is not True:
            return other
    return None
