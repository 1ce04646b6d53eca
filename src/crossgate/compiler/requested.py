"""Whether a preflight asks for a method and headers that the policy allows, as Envoy decides it."""

from __future__ import annotations

from functools import lru_cache

from crossgate.compiler.matching import (
    PRESENT,
    Predicate,
    all_of,
    any_of,
    is_not,
    literal,
    matches,
)
from crossgate.policy.names import ANY, FORBIDDEN_METHODS, TOKEN_PATTERN
from crossgate.policy.request_headers import AUTHORIZATION, LIST_PATTERN

_METHOD = "access-control-request-method"
_HEADERS = "access-control-request-headers"


def method_named() -> Predicate:
    """Whether the preflight names a method at all."""
    return matches(_METHOD, PRESENT)


@lru_cache(maxsize=256)
def method_admitted(methods: tuple[str, ...]) -> Predicate | None:
    """Whether the named method is one of these; None if none can be."""
    if not methods:
        return None
    if ANY not in methods:
        # One condition, not one for each: Envoy takes longer to make a condition than to ask it.
        return matches(_METHOD, "|".join(map(literal, dict.fromkeys(methods))))
    forbidden = any_of([matches(_METHOD, without_case(method)) for method in sorted(FORBIDDEN_METHODS)])
    return all_of([matches(_METHOD, TOKEN_PATTERN), is_not(forbidden)])


def headers_named() -> Predicate:
    """Whether the preflight names headers, or has anything in their place."""
    return matches(_HEADERS, PRESENT)


@lru_cache(maxsize=256)
def headers_admitted(names: tuple[str, ...]) -> Predicate:
    """Whether there is a list of headers, and each is one of these; an empty list is one too."""
    lower = sorted({name.lower() for name in names})
    if ANY not in lower:
        return matches(_HEADERS, _list_of("|".join(without_case(name) for name in lower)))
    everything = matches(_HEADERS, LIST_PATTERN)
    if AUTHORIZATION in lower:
        return everything
    elsewhere = rf"(?:\C*[ \t,])?{without_case(AUTHORIZATION)}(?:[ \t,]\C*)?"
    return all_of([everything, is_not(matches(_HEADERS, elsewhere))])


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
