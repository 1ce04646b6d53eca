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

from google.protobuf.any_pb2 import Any
from xds.core.v3.extension_pb2 import TypedExtensionConfig
from xds.type.matcher.v3.domain_pb2 import ServerNameMatcher
from xds.type.matcher.v3.matcher_pb2 import Matcher

from crossgate.compiler.matching import (
    Branch,
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
    look_up,
    matches,
)
from crossgate.compiler.plain_regex import PLAIN_ORIGIN, is_plain
from crossgate.compiler.protobuf import record, serialise, tag, type_url
from crossgate.policy import OriginSet, WildcardOrigin
from crossgate.policy.names import NULL, ORIGIN
from crossgate.policy.origin import DEFAULT_PORT_PATTERN, LABEL_PATTERN, ORIGIN_PATTERN, PORT_PATTERN

_INPUT = tag(Matcher.MatcherTree, "input")
_CUSTOM = tag(Matcher.MatcherTree, "custom_match")
_CONFIG = tag(TypedExtensionConfig, "typed_config")
_VALUE = tag(Any, "value")
_ENTRY = tag(ServerNameMatcher, "domain_matchers")
_FOUND = tag(ServerNameMatcher.DomainMatcher, "on_match")
_NAMED_TABLE = serialise(TypedExtensionConfig(name="origins"))
_TYPED_TABLE = serialise(Any(type_url=type_url(ServerNameMatcher)))

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
        return _table(exact, to.admitted, branch([*by_pattern, refused], to.absent))
    conditions = [equals(ORIGIN, origin) for origin in exact] + ([] if patterns is None else [patterns])
    admitted = [(any_of(conditions), to.admitted)] if conditions else []
    return branch([*admitted, refused], to.absent)


def _table(origins: tuple[str, ...], admitted: Branch, rest: Branch) -> Branch:
    """``admitted`` for these origins, else ``rest``: one look-up."""
    entry = serialise(ServerNameMatcher.DomainMatcher(domains=origins)) + record(_FOUND, record(*admitted))
    table = _TYPED_TABLE + record(_VALUE, record(_ENTRY, entry))
    asked = record(_INPUT, serialise(header_input(ORIGIN)))
    return look_up(asked + record(_CUSTOM, _NAMED_TABLE + record(_CONFIG, table)), rest)


def _pattern_predicate(origins: OriginSet, public_origins: frozenset[str]) -> Predicate | None:
    """Whether a wildcard, a regular expression or ``*`` admits the origin; None if there is none of them.

    What is not well-formed is admitted by none of them, nor is one of the gateway's own origins.
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
    return all_of([found, *own])


@lru_cache(maxsize=64)
def _admitted_by(wildcards: tuple[WildcardOrigin, ...], regexes: tuple[str, ...]) -> Predicate:
    """The check of the form is asked last, as it costs most."""
    plain = tuple(regex for regex in regexes if is_plain(regex))
    others = tuple(regex for regex in regexes if not is_plain(regex))
    found = []
    for ported in (False, True):
        alike = tuple(wildcard for wildcard in wildcards if _has_port(wildcard) is ported)
        # Wildcards match nothing that is not well-formed, by their making, but for default ports.
        alternatives = [matches(ORIGIN, regex) for regex in wildcard_regexes(alike)]
        if alternatives:
            found.append(all_of([any_of(alternatives), *([_no_default_port()] if ported else [])]))
    for written, form in ((plain, matches(ORIGIN, PLAIN_ORIGIN)), (others, _well_formed())):
        if written:
            found.append(all_of([any_of([matches(ORIGIN, regex) for regex in written]), form]))
    return any_of(found)


def _has_port(wildcard: WildcardOrigin) -> bool:
    return wildcard.any_port or bool(wildcard.port)


def _well_formed() -> Predicate:
    """The grammar leaves default ports in, so they are taken out."""
    serialised = all_of([matches(ORIGIN, ORIGIN_PATTERN), _no_default_port()])
    return any_of([serialised, equals(ORIGIN, NULL)])


def _no_default_port() -> Predicate:
    return is_not(matches(ORIGIN, DEFAULT_PORT_PATTERN))


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
