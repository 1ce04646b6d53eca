"""When a preflight asks for a method or headers that the policy does not allow, as Envoy decides it."""

from __future__ import annotations

from functools import lru_cache

from crossgate.compiler.conditions import (
    Condition,
    Conditions,
    differs,
    equals,
    literal,
    matches,
    matches_not,
)
from crossgate.policy.names import ANY, FORBIDDEN_METHODS, TOKEN_PATTERN
from crossgate.policy.request_headers import AUTHORIZATION, LIST_PATTERN

_METHOD = "access-control-request-method"
_HEADERS = "access-control-request-headers"


def no_method_named() -> Condition:
    """Whether an OPTIONS request is no preflight."""
    return equals(_METHOD, "")


def method_named() -> Condition:
    """Whether the preflight names a method at all."""
    return differs(_METHOD, "")


@lru_cache(maxsize=256)
def method_refusals(methods: tuple[str, ...]) -> tuple[Conditions, ...]:
    """Each a case in which the named method is none of these."""
    if not methods:
        return ((),)
    if ANY not in methods:
        return ((none_of(_METHOD, methods),),)
    forbidden = "|".join(without_case(method) for method in sorted(FORBIDDEN_METHODS))
    return (matches_not(_METHOD, TOKEN_PATTERN),), (matches(_METHOD, forbidden),)


def none_of(header: str, values: tuple[str, ...]) -> Condition:
    """Whether the value is none of these."""
    # One condition, not one for each: Envoy takes longer to make a condition than to ask it.
    return matches_not(header, "|".join(map(literal, dict.fromkeys(values))))


@lru_cache(maxsize=256)
def header_refusals(names: tuple[str, ...]) -> tuple[Conditions, ...]:
    """Each a case in which the headers are no list of these; an empty one is."""
    lower = sorted({name.lower() for name in names})
    if ANY not in lower:
        return ((matches_not(_HEADERS, _list_of("|".join(map(without_case, lower)))),),)
    unreadable = (matches_not(_HEADERS, LIST_PATTERN),)
    if AUTHORIZATION in lower:
        return (unreadable,)
    authorization = rf"(?:\C*[ \t,])?{without_case(AUTHORIZATION)}(?:[ \t,]\C*)?"
    return unreadable, (matches(_HEADERS, authorization),)


def _list_of(element: str) -> str:
    """A list whose elements all match; blanks around them and empty elements do not count."""
    if not element:
        return r"[ \t,]*"
    return rf"[ \t,]*(?:(?:{element})[ \t]*(?:,[ \t,]*|$))*"


def without_case(token: str) -> str:
    """The token in any case, of ASCII letters only.

    RE2's own ``(?i)`` also folds U+017F and U+212A to s and k, which are no letters of a token.
    """
    return "".join(
        f"[{letter.upper()}{letter.lower()}]" if letter.isalpha() else literal(letter) for letter in token
    )
