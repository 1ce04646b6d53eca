"""Which entries of a policy are covered: by another entry, or by the trusted domains."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import re2

from crossgate.lint.proof import included
from crossgate.lint.proof.host_graph import SCHEMES
from crossgate.lint.rule import Violation
from crossgate.lint.subject import OriginEntry, Subject
from crossgate.policy import (
    AnyOrigin,
    ExactOrigin,
    NullOrigin,
    Origin,
    OriginPattern,
    OriginSet,
    RegexOrigin,
    WildcardOrigin,
)
from crossgate.policy.origin import LABEL_PATTERN, PORT_PATTERN, is_hostless

_MOST_COMPARED: Final = 24
"""Patterns that are compared with one another; the work grows with the square of their number."""
_MANY: Final = 256
"""Entries times patterns, from which on a common set of all patterns pays."""
_ANY_LABEL: Final = "any-name-at-all"


def admits_any_subdomain(entry: OriginEntry) -> bool:
    """Whether the entry admits every name below one of its domains."""
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
    """Whether a pattern admits an origin."""
    if is_hostless(origin):
        return False
    if isinstance(entry.pattern, RegexOrigin):
        # An OriginSet would compile the pattern again, which takes longer than everything else here.
        return entry.pattern.matcher.fullmatch(origin.encode()) is not None
    return origin in _only(entry.pattern)


@lru_cache(maxsize=1024)
def _only(pattern: OriginPattern) -> OriginSet:
    return OriginSet.of([pattern])


def shadowed_entries(subject: Subject) -> Iterator[tuple[OriginEntry, OriginEntry]]:
    """Entries whose origins are all admitted by another entry, with that entry."""
    patterns = [e for e in subject.entries if isinstance(e.pattern, WildcardOrigin | RegexOrigin)]
    # To compile a set of all patterns takes longer than to try a few of them: always doing so makes the first
    # check of 5,000 APIs three times as long (bench.lint).
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
    """False if the proofs and one example already show that ``other`` does not admit all of ``entry``."""
    proof, wider = entry.proof, other.proof
    complete = proof.lists_every_domain and wider.lists_every_domain
    if complete and not set(proof.domains) <= set(wider.domains):
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


def outside_trusted_domains(subject: Subject) -> Iterator[Violation]:
    """Entries and applications' origins outside of the trusted domains, with an origin that shows it."""
    trusted = frozenset(subject.trusted_domains)
    within = _pattern_of(subject.trusted_domains)
    for entry in subject.entries:
        if _is_within(entry, trusted, within):
            continue
        witness = _witness_outside(entry, within)
        yield Violation(
            entry.path,
            f"the entry admits {witness}, which is outside of the trusted domains"
            if witness is not None
            else "it could not be proved that the entry stays within the trusted domains",
            found=entry.source,
            witness=witness if witness is not None and "://" in witness else None,
        )
    for origin in sorted(subject.application_origins):
        if not _is_below(origin, trusted):
            yield Violation(
                (),
                "the origin of an application is outside of the trusted domains",
                found=origin,
                witness=origin,
            )


def _is_within(entry: OriginEntry, trusted: frozenset[str], within: str) -> bool:
    if isinstance(entry.pattern, ExactOrigin):
        return _is_below(entry.pattern.value, trusted)
    return included(entry.regex, within).holds is True


def _witness_outside(entry: OriginEntry, within: str) -> str | None:
    if isinstance(entry.pattern, ExactOrigin):
        return entry.pattern.value
    return entry.proof.witness or included(entry.regex, within).counterexample


def _pattern_of(domains: tuple[str, ...]) -> str:
    names = "|".join(re2.escape(domain) for domain in domains)
    # Of other schemes nobody checks who owns the host: any app can be built with capacitor://example.com.
    return rf"https?://(?:{LABEL_PATTERN}\.)*(?:{names})\.?(?::{PORT_PATTERN})?"


def _is_below(origin: str, trusted: frozenset[str]) -> bool:
    parts = Origin.of(origin)
    host = parts.host.removesuffix(".") if parts.scheme in SCHEMES else ""
    while host:
        if host in trusted:
            return True
        _, _, host = host.partition(".")
    return False
