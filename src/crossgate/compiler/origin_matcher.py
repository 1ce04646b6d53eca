"""Whether a request's origin is in a set, as Envoy decides it.

Exact origins are one look-up in a hash table, however many there are. The table is ``ServerNameMatcher``'s,
which upstream calls work in progress; all that is known of it stays in this file. To it ``*`` means
everything and ``*.x`` every name under x, whatever the scheme, so no entry may hold a ``*``: no exact origin
does, and wildcards and regular expressions are RE2's, behind the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from xds.type.matcher.v3.domain_pb2 import ServerNameMatcher

from crossgate.compiler.matching import (
    Branch,
    OnMatch,
    Predicate,
    all_of,
    any_of,
    branch,
    equals,
    equals_any,
    has_origin,
    header_input,
    is_not,
    literal,
    matches,
)
from crossgate.compiler.protobuf import extension
from crossgate.policy import OriginSet, WildcardOrigin
from crossgate.policy.names import NULL, ORIGIN
from crossgate.policy.origin import DEFAULT_PORT_PATTERN, LABEL_PATTERN, ORIGIN_PATTERN, PORT_PATTERN

_FEW = 3
"""Up to so many exact origins a chain of comparisons is smaller than a table, and no slower."""


@dataclass(frozen=True, slots=True)
class OriginBranches:
    """What becomes of a request by its origin."""

    admitted: Branch
    refused: Branch
    absent: Branch
    """There is none, or it is empty, or one of the gateway's own."""


def branch_on_origin(origins: OriginSet, public_origins: frozenset[str], to: OriginBranches) -> Branch:
    """Where the request's origin leads. An admitted one is found first: most requests are asked least."""
    exact = tuple(sorted(origins.exact - public_origins))
    patterns = _pattern_predicate(origins, public_origins)
    refused = has_origin(public_origins), to.refused
    if len(exact) > _FEW:
        by_pattern = [(patterns, to.admitted)] if patterns is not None else []
        return _Table(exact, to.admitted, branch([*by_pattern, refused], to.absent))
    conditions = [equals(ORIGIN, origin) for origin in exact] + ([] if patterns is None else [patterns])
    admitted = [(any_of(conditions), to.admitted)] if conditions else []
    return branch([*admitted, refused], to.absent)


@dataclass(frozen=True, slots=True)
class _Table:
    """``admitted`` for these origins, else ``rest``: one look-up."""

    origins: tuple[str, ...]
    admitted: Branch
    rest: Branch

    def write(self, into: OnMatch) -> None:
        table = ServerNameMatcher()
        entry = table.domain_matchers.add()
        entry.domains.extend(self.origins)
        self.admitted.write(entry.on_match)
        tree = into.matcher.matcher_tree
        tree.input.CopyFrom(header_input(ORIGIN))
        tree.custom_match.CopyFrom(extension("origins", table))
        self.rest.write(into.matcher.on_no_match)


def _pattern_predicate(origins: OriginSet, public_origins: frozenset[str]) -> Predicate | None:
    """Whether a wildcard, a regular expression or ``*`` admits the origin; None if there is none of them.

    What is not well-formed is admitted by none of them: wildcards match nothing else by their making, the
    others are asked together with the grammar, which comes last as it costs most. The grammar leaves default
    ports in, so they are taken out; and so are the gateway's own origins.
    """
    # Envoy takes no empty expression; that one admits nothing, since no origin is empty.
    regexes = tuple(sorted({regex.pattern for regex in origins.regexes} - {""}))
    if origins.any_origin:
        found = _well_formed()
    elif origins.wildcards or regexes:
        found = _admitted_by(origins.wildcards, regexes)
    else:
        return None
    own = [is_not(equals_any(ORIGIN, tuple(sorted(public_origins))))] if public_origins else []
    return all_of([found, is_not(matches(ORIGIN, DEFAULT_PORT_PATTERN)), *own])


@lru_cache(maxsize=64)
def _admitted_by(wildcards: tuple[WildcardOrigin, ...], regexes: tuple[str, ...]) -> Predicate:
    found = [matches(ORIGIN, regex) for regex in wildcard_regexes(wildcards)]
    if regexes:
        found.append(all_of([any_of([matches(ORIGIN, regex) for regex in regexes]), _well_formed()]))
    return any_of(found)


def _well_formed() -> Predicate:
    return any_of([matches(ORIGIN, ORIGIN_PATTERN), equals(ORIGIN, NULL)])


def wildcard_regexes(wildcards: tuple[WildcardOrigin, ...]) -> list[str]:
    """One expression for all wildcards that differ in their host only."""

    def shape(wildcard: WildcardOrigin) -> tuple[str, bool, bool, int]:
        return wildcard.scheme, wildcard.any_subdomain, wildcard.any_port, wildcard.port or 0

    regexes = []
    for (scheme, any_subdomain, any_port, port), alike in groupby(sorted(wildcards, key=shape), key=shape):
        hosts = "|".join(sorted({literal(wildcard.host) for wildcard in alike}))
        labels = rf"(?:{LABEL_PATTERN}\.)+" if any_subdomain else ""
        suffix = f"(?::{PORT_PATTERN})?" if any_port else f":{port}" if port else ""
        regexes.append(f"{literal(scheme)}://{labels}(?:{hosts}){suffix}")
    return regexes
