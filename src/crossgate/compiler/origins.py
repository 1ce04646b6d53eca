"""Whether a request's origin is in a set, as Envoy decides it.

Few exact origins are conditions of a route, many are a table; wildcards and regular expressions are RE2's.
What is refused is found first, so that each pattern is asked, and built, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Final

from crossgate.compiler.conditions import (
    Conditions,
    differs,
    literal,
    matches,
    matches_not,
    no_origin,
)
from crossgate.compiler.plain_regex import EMPTY_LABEL, has_labels, is_plain
from crossgate.compiler.route_table import RouteTable
from crossgate.compiler.routes import RouteOwner
from crossgate.compiler.steps import RouteEffect, RouteStep, each, under
from crossgate.policy import OriginSet, WildcardOrigin
from crossgate.policy.names import NULL, ORIGIN
from crossgate.policy.origin import DEFAULT_PORT_PATTERN, LABEL_PATTERN, ORIGIN_PATTERN, PORT_PATTERN

_FEW: Final = 3
"""Up to so many exact origins a chain of comparisons is smaller than a table, and no slower."""
_FEW_BESIDE_PATTERNS: Final = 10
"""So many beside patterns: with a table, the routes of an admitted origin are there twice."""


@dataclass(frozen=True, slots=True)
class ByOrigin:
    """What becomes of a request by its origin."""

    absent: Sequence[RouteStep]
    """There is none, or it is empty, or one of the gateway's own."""
    refused: RouteEffect
    admitted: Sequence[RouteStep]
    before: Sequence[RouteStep] = ()
    """What is asked first where there is an origin, whichever it is."""


def route_by_origin(
    origins: OriginSet, public_origins: frozenset[str], to: ByOrigin, owner: RouteOwner
) -> RouteTable:
    """The routes of ``to`` by the request's origin."""
    exact = tuple(sorted(origins.exact - public_origins))
    most = _FEW_BESIDE_PATTERNS if origins.by_pattern else _FEW
    few = exact if len(exact) <= most else ()
    listed = owner.routes(
        [
            *under((no_origin(public_origins),), to.absent),
            *to.before,
            *each(_refusals(origins, few), to.refused),
            *to.admitted,
        ]
    )
    if few == exact:
        return RouteTable(listed)
    return RouteTable(listed, exact, owner.routes([*to.before, *to.admitted]))


def _refusals(origins: OriginSet, exact: tuple[str, ...]) -> tuple[Conditions, ...]:
    """Each a case in which an origin is neither one of the exact ones nor admitted by a pattern."""
    # Envoy takes no empty expression; that one admits nothing, since no origin is empty.
    regexes = tuple(sorted({regex.pattern for regex in origins.regexes} - {""}))
    if origins.any_origin:
        return *_ill_formed(), _default_port()
    admitting = (
        *[differs(ORIGIN, origin) for origin in exact],
        *[matches_not(ORIGIN, regex) for regex in wildcard_regexes(origins.wildcards)],
        *[matches_not(ORIGIN, regex) for regex in regexes],
    )
    return admitting, *_checks(origins.wildcards, regexes)


@lru_cache(maxsize=64)
def _checks(wildcards: tuple[WildcardOrigin, ...], regexes: tuple[str, ...]) -> tuple[Conditions, ...]:
    """Each a case in which an origin that a pattern matches is not well-formed.

    They are asked of origins that need no such check, too, and let them pass: those are well-formed.
    """
    plain = [regex for regex in regexes if is_plain(regex)]
    # Wildcards match nothing that is not well-formed, by their making, but for default ports.
    ported = any(one.any_port or one.port for one in wildcards)
    if len(plain) < len(regexes):
        return *_ill_formed(), _default_port()
    empty = () if all(map(has_labels, plain)) else ((matches(ORIGIN, EMPTY_LABEL),),)
    return (*empty, _default_port()) if ported else empty


def _ill_formed() -> tuple[Conditions, ...]:
    """The grammar leaves default ports in."""
    return ((differs(ORIGIN, NULL), matches_not(ORIGIN, ORIGIN_PATTERN)),)


def _default_port() -> Conditions:
    return (matches(ORIGIN, DEFAULT_PORT_PATTERN),)


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
