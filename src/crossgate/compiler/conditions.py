"""Conditions of a route on request headers, as the bytes of their messages.

In all of them an absent header counts as an empty one, and several lines of a header as one, joined by
commas.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NewType

from envoy.config.route.v3.route_components_pb2 import HeaderMatcher, RouteMatch
from envoy.type.matcher.v3.regex_pb2 import RegexMatcher
from envoy.type.matcher.v3.string_pb2 import StringMatcher

from crossgate.compiler.protobuf import encode_field, field_tag, serialise
from crossgate.policy.names import ORIGIN

Condition = NewType("Condition", bytes)
"""One condition: that field of a ``RouteMatch``."""

Conditions = tuple[Condition, ...]
"""Conditions that must all hold; without any, always."""

_KEPT: Final = 256

_HEADERS: Final = field_tag(RouteMatch, "headers")
_VALUE: Final = field_tag(HeaderMatcher, "string_match")
_EXACT: Final = field_tag(StringMatcher, "exact")
_PREFIX: Final = field_tag(StringMatcher, "prefix")
_IN_ANY_CASE: Final = serialise(StringMatcher(ignore_case=True))
_SAFE_REGEX: Final = field_tag(StringMatcher, "safe_regex")
_REGEX: Final = field_tag(RegexMatcher, "regex")


@lru_cache(maxsize=_KEPT)
def equals(header: str, value: str) -> Condition:
    """Whether the value is exactly this one."""
    return _asked(header, encode_field(_EXACT, value.encode()), inverted=False)


@lru_cache(maxsize=_KEPT)
def differs(header: str, value: str) -> Condition:
    """Whether the value is any but this one."""
    return _asked(header, encode_field(_EXACT, value.encode()), inverted=True)


@lru_cache(maxsize=_KEPT)
def matches(header: str, regex: str) -> Condition:
    """Whether RE2 matches the whole value."""
    return _asked(header, _by_re2(regex), inverted=False)


@lru_cache(maxsize=_KEPT)
def matches_not(header: str, regex: str) -> Condition:
    """Whether RE2 does not match the whole value."""
    return _asked(header, _by_re2(regex), inverted=True)


@lru_cache(maxsize=_KEPT)
def no_origin(public_origins: frozenset[str]) -> Condition:
    """Whether there is no ``Origin``, or an empty one, or one of the gateway's own."""
    own = "|".join(map(literal, sorted(public_origins)))
    return matches(ORIGIN, f"(?:{own})?") if own else equals(ORIGIN, "")


def begins_with(header: str, prefix: str) -> Condition:
    """Whether the value begins so, in any case of ASCII letters."""
    return _asked(header, encode_field(_PREFIX, prefix.encode()) + _IN_ANY_CASE, inverted=False)


def literal(text: str) -> str:
    """The text as an RE2 expression that matches nothing else."""
    return re.sub(r"[^A-Za-z0-9_/-]", lambda found: "\\" + found[0], text)


def _by_re2(regex: str) -> bytes:
    return encode_field(_SAFE_REGEX, encode_field(_REGEX, regex.encode()))


def _asked(header: str, value: bytes, *, inverted: bool) -> Condition:
    return Condition(encode_field(_HEADERS, _of(header, inverted=inverted) + encode_field(_VALUE, value)))


@lru_cache(maxsize=_KEPT)
def _of(header: str, *, inverted: bool) -> bytes:
    return serialise(HeaderMatcher(name=header, invert_match=inverted, treat_missing_header_as_empty=True))
