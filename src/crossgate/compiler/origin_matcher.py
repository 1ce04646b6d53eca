"""Whether a request's origin is in a set, as Envoy decides it.

Exact origins are one look-up in a hash table, however many there are. The table is ``ServerNameMatcher``'s,
which upstream calls work in progress; all that is known of it stays in this file. To it ``*`` means
everything and ``*.x`` every name under x, whatever the scheme, so no entry may hold a ``*``: no exact origin
does, and wildcards and regular expressions are RE2's, behind the table.
"""

from __future__ import annotations

from itertools import groupby

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


def branch_on_origin(origins: OriginSet, admitted: Branch, refused: Branch) -> Branch:
    """``admitted`` if the request's origin is in the set, else ``refused``."""
    patterns = _pattern_predicate(origins)
    rest = refused if patterns is None else branch([(patterns, admitted)], refused)
    exact = sorted(origins.exact)
    if not exact:
        return rest
    if len(exact) <= _FEW:
        return branch([(equals_any(ORIGIN, exact), admitted)], rest)
    table = ServerNameMatcher(
        domain_matchers=[ServerNameMatcher.DomainMatcher(domains=exact, on_match=admitted)]
    )
    tree = Matcher.MatcherTree(input=header_input(ORIGIN), custom_match=extension("origins", table))
    return Branch(matcher=Matcher(matcher_tree=tree, on_no_match=rest))


def _pattern_predicate(origins: OriginSet) -> Predicate | None:
    """Whether a wildcard, a regular expression or ``*`` admits the origin; None if there is none of them.

    What is not well-formed is admitted by none of them: wildcards match nothing else by their making, the
    others are asked together with the grammar. The grammar leaves default ports in, so they are taken out.
    """
    well_formed = any_of([matches(ORIGIN, ORIGIN_PATTERN), equals(ORIGIN, NULL)])
    proper_port = is_not(matches(ORIGIN, DEFAULT_PORT_PATTERN))
    if origins.any_origin:
        return all_of([well_formed, proper_port])
    found = [matches(ORIGIN, regex) for regex in wildcard_regexes(origins.wildcards)]
    # Envoy takes no empty expression; that one admits nothing, since no origin is empty.
    patterns = sorted({regex.pattern for regex in origins.regexes} - {""})
    if patterns:
        found.append(all_of([well_formed, any_of([matches(ORIGIN, pattern) for pattern in patterns])]))
    return all_of([any_of(found), proper_port]) if found else None


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
