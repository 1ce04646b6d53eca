"""Conditions of a route: on headers in general, on the headers of a preflight, on the origin.

In all of them a missing header counts as an empty one, and several header lines as one value, joined by
commas. The conditions are shared by many routes: read them, never change them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from envoy.config.route.v3.route_components_pb2 import HeaderMatcher
from envoy.type.matcher.v3.regex_pb2 import RegexMatcher
from envoy.type.matcher.v3.string_pb2 import StringMatcher

from crossgate.compiler.plain_regex import EMPTY_LABEL, has_labels, is_plain
from crossgate.policy import OriginSet, WildcardOrigin
from crossgate.policy.header_list import list_regexes
from crossgate.policy.names import (
    ANY,
    FORBIDDEN_METHODS,
    NULL,
    ORIGIN,
    REQUEST_HEADERS,
    REQUEST_METHOD,
    SEC_FETCH_SITE,
    TOKEN_PATTERN,
)
from crossgate.policy.origin import (
    DEFAULT_PORT_PATTERN,
    HOST_MISSING_PATTERN,
    HOSTLESS_PATTERN,
    ORIGIN_PATTERN,
    is_hostless,
)
from crossgate.policy.origin_pattern import wildcard_regexes
from crossgate.policy.re2 import in_any_case, quote
from crossgate.policy.same_origin import SAME_ORIGIN

Conditions = tuple[HeaderMatcher, ...]
"""Conditions that must all hold; an empty tuple always holds."""

_METHOD: Final = REQUEST_METHOD.lower()
_HEADERS: Final = REQUEST_HEADERS.lower()

_CACHED: Final = 256


def _matcher(header: str, value: StringMatcher, *, inverted: bool = False) -> HeaderMatcher:
    return HeaderMatcher(
        name=header, string_match=value, invert_match=inverted, treat_missing_header_as_empty=True
    )


@lru_cache(maxsize=_CACHED)
def equals(header: str, value: str) -> HeaderMatcher:
    """The header's value is ``value``."""
    return _matcher(header, StringMatcher(exact=value))


@lru_cache(maxsize=_CACHED)
def equals_in_any_case(header: str, value: str) -> HeaderMatcher:
    """The header's value is ``value`` in any case of ASCII letters."""
    return _matcher(header, StringMatcher(exact=value, ignore_case=True))


@lru_cache(maxsize=_CACHED)
def differs(header: str, value: str) -> HeaderMatcher:
    """The header's value is not ``value``."""
    return _matcher(header, StringMatcher(exact=value), inverted=True)


@lru_cache(maxsize=_CACHED)
def matches(header: str, regex: str) -> HeaderMatcher:
    """RE2 matches the whole value."""
    return _matcher(header, StringMatcher(safe_regex=RegexMatcher(regex=regex)))


@lru_cache(maxsize=_CACHED)
def matches_not(header: str, regex: str) -> HeaderMatcher:
    """RE2 does not match the whole value."""
    return _matcher(header, StringMatcher(safe_regex=RegexMatcher(regex=regex)), inverted=True)


@lru_cache(maxsize=_CACHED)
def begins_with(header: str, prefix: str) -> HeaderMatcher:
    """The value begins with ``prefix``, in any case of ASCII letters."""
    return _matcher(header, StringMatcher(prefix=prefix, ignore_case=True))


@lru_cache(maxsize=_CACHED)
def is_none_of(header: str, values: tuple[str, ...]) -> HeaderMatcher:
    """The value differs from all of these."""
    # One condition, not one for each value: Envoy takes longer to build a condition than to evaluate it.
    return matches_not(header, "|".join(map(quote, dict.fromkeys(values))))


@lru_cache(maxsize=1)
def method_requested() -> HeaderMatcher:
    """The request has ``Access-Control-Request-Method``."""
    return differs(_METHOD, "")


@lru_cache(maxsize=1)
def no_method_requested() -> HeaderMatcher:
    """The request does not have ``Access-Control-Request-Method``."""
    return equals(_METHOD, "")


@lru_cache(maxsize=_CACHED)
def method_refusals(methods: tuple[str, ...]) -> tuple[Conditions, ...]:
    """The alternatives in which a preflight's requested method is not among ``methods``."""
    if not methods:
        return ((),)
    if ANY not in methods:
        return ((is_none_of(_METHOD, methods),),)
    forbidden = "|".join(in_any_case(method) for method in sorted(FORBIDDEN_METHODS))
    return (matches_not(_METHOD, TOKEN_PATTERN),), (matches(_METHOD, forbidden),)


@lru_cache(maxsize=_CACHED)
def header_refusals(names: tuple[str, ...]) -> tuple[Conditions, ...]:
    """The alternatives in which a preflight's requested headers are not a list of ``names``."""
    regexes = list_regexes(names)
    not_allowed = (matches_not(_HEADERS, regexes.allowed),)
    return (not_allowed, (matches(_HEADERS, regexes.refused),)) if regexes.refused else (not_allowed,)


@lru_cache(maxsize=_CACHED)
def no_origin(public_origins: frozenset[str]) -> HeaderMatcher:
    """``Origin`` is missing, empty, or one of the gateway's public origins."""
    public = "|".join(map(quote, sorted(public_origins)))
    return matches(ORIGIN, f"(?:{public})?") if public else equals(ORIGIN, "")


@lru_cache(maxsize=1)
def is_same_origin() -> HeaderMatcher:
    """``Sec-Fetch-Site`` says that the page has the gateway's origin."""
    return _matcher(SEC_FETCH_SITE, StringMatcher(contains=SAME_ORIGIN))


def origin_refusals(origins: OriginSet, exact: tuple[str, ...]) -> tuple[Conditions, ...]:
    """The alternatives in which ``Origin``, if not empty, is neither in ``exact`` nor matched by a pattern.

    Refusals come first in a flow, so that each expression occurs, and is built by Envoy, only once.
    """
    # Envoy rejects an empty expression. No origin is empty, so that expression matches none.
    regexes = tuple(sorted({regex.pattern for regex in origins.regexes} - {""}))
    if origins.any_origin:
        return _NOT_AN_ORIGIN, _NOT_SERIALISED
    no_match = (
        *[differs(ORIGIN, origin) for origin in exact],
        *[matches_not(ORIGIN, regex) for regex in wildcard_regexes(origins.wildcards)],
        *[matches_not(ORIGIN, regex) for regex in regexes],
    )
    # The conditions about malformed origins are evaluated for exact origins, too.
    hostless = tuple(differs(ORIGIN, origin) for origin in exact if is_hostless(origin))
    malformed = _malformed_matches(origins.wildcards, regexes)
    return no_match, *[(*conditions, *hostless) for conditions in malformed]


@lru_cache(maxsize=64)
def _malformed_matches(
    wildcards: tuple[WildcardOrigin, ...], regexes: tuple[str, ...]
) -> tuple[Conditions, ...]:
    """The alternatives in which an origin that a pattern matches is malformed.

    None of them holds for an exact origin that has a host.
    """
    plain = [regex for regex in regexes if is_plain(regex)]
    if len(plain) < len(regexes):
        return _MALFORMED, _DEFAULT_PORT
    empty_label = () if all(map(has_labels, plain)) else ((matches(ORIGIN, EMPTY_LABEL),),)
    # The expressions of wildcards match well-formed origins only, and those with a default port.
    any_port = any(wildcard.any_port or wildcard.port for wildcard in wildcards)
    return (*empty_label, _DEFAULT_PORT) if any_port else empty_label


_MALFORMED: Final = (differs(ORIGIN, NULL), matches_not(ORIGIN, ORIGIN_PATTERN))
"""Not ``null`` and outside of the grammar, which contains origins with their default port."""
_DEFAULT_PORT: Final = (matches(ORIGIN, DEFAULT_PORT_PATTERN),)

_NOT_AN_ORIGIN: Final = (differs(ORIGIN, NULL), matches_not(ORIGIN, f"{ORIGIN_PATTERN}|{HOSTLESS_PATTERN}"))
_NOT_SERIALISED: Final = (matches(ORIGIN, f"{DEFAULT_PORT_PATTERN}|{HOST_MISSING_PATTERN}"),)
"""The same two for all origins, those without a host included."""
