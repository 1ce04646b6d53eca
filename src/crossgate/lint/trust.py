"""Whether all that a policy admits, its applications' origins included, lies within the trusted domains."""

from __future__ import annotations

from collections.abc import Iterator

import re2

from crossgate.lint.proof import included
from crossgate.lint.rule import Violation
from crossgate.lint.subject import OriginEntry, Subject
from crossgate.policy import ExactOrigin, Origin
from crossgate.policy.origin import LABEL_PATTERN, PORT_PATTERN, SCHEME_PATTERN


def outside_of_trust(subject: Subject) -> Iterator[Violation]:
    """Each entry and application's origin that lies outside, with an origin that shows it."""
    trusted = frozenset(subject.trusted_domains)
    within = _pattern_of(subject.trusted_domains)
    for entry in subject.entries:
        witness = _find_outside(entry, trusted, within)
        if witness is not None:
            yield Violation(
                entry.path,
                f"it admits {witness}, outside of the trusted domains",
                found=entry.text,
                witness=witness if "://" in witness else None,
            )
    for origin in sorted(subject.application_origins):
        if not _is_below(origin, trusted):
            yield Violation(
                (), "an application's origin is outside of the trusted domains", found=origin, witness=origin
            )


def _find_outside(entry: OriginEntry, trusted: frozenset[str], within: str) -> str | None:
    if isinstance(entry.pattern, ExactOrigin):
        return None if _is_below(entry.pattern.value, trusted) else entry.pattern.value
    found = included(entry.regex, within)
    if found.holds is True:
        return None
    return entry.proof.witness or found.counterexample or "what could not be found out"


def _pattern_of(domains: tuple[str, ...]) -> str:
    names = "|".join(re2.escape(domain) for domain in domains)
    return rf"{SCHEME_PATTERN}://(?:{LABEL_PATTERN}\.)*(?:{names})\.?(?::{PORT_PATTERN})?"


def _is_below(origin: str, trusted: frozenset[str]) -> bool:
    host = Origin.of(origin).host.removesuffix(".")
    while host:
        if host in trusted:
            return True
        _, _, host = host.partition(".")
    return False
