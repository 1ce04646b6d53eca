"""Combines policies of parts of an API into one: Crossgate has one policy for an API."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TypeVar

from crossgate.importers.found import Found, FoundPolicy
from crossgate.importers.methods import UNNEEDED_METHODS
from crossgate.policy.names import ANY

_Value = TypeVar("_Value")


def strictest(policies: Sequence[FoundPolicy | None]) -> FoundPolicy | None:
    """The policy that allows only what each of them allows; None, for pass-through, if all are.

    Lists keep what is in all of them, or covered by a ``*``. Part of the API without a policy passes through,
    which allows nothing by itself: then the list of origins is empty.
    """
    given = list({id(one): one for one in policies if one is not None}.values())
    if not given:
        return None
    first, *others = given  # many routes share the policy of what they are in
    for other in others:
        first = _both(first, other)
    return replace(first, origins=()) if None in policies else first


def union_of_methods(one: FoundPolicy | None, other: FoundPolicy | None) -> FoundPolicy | None:
    """The policy with the methods of both if they are equal otherwise; else None.

    It is for parts that have the same paths, and different methods.
    """
    if one is None or other is None:
        return None
    if values_of(replace(one, methods=())) != values_of(replace(other, methods=())):
        return None
    known = {found.value for found in one.methods}
    return replace(
        one, methods=(*one.methods, *(found for found in other.methods if found.value not in known))
    )


def within_methods(policy: FoundPolicy, methods: Collection[str]) -> FoundPolicy:
    """The policy for a route that is for these methods only, without any if it is not for OPTIONS.

    Another gateway answers no preflight then, since no route is found for it.
    """
    if "OPTIONS" not in methods:
        return replace(policy, methods=())
    if any(one.value == ANY for one in policy.methods):
        first = policy.methods[0]
        named = (replace(first, value=method) for method in methods if method not in UNNEEDED_METHODS)
        return replace(policy, methods=tuple(named))
    return replace(policy, methods=tuple(one for one in policy.methods if one.value in methods))


def values_of(policy: FoundPolicy | None) -> object:
    """What a policy says, without the places that say so."""
    if policy is None:
        return None
    lists = (policy.origins, policy.methods, policy.allow_headers, policy.expose_headers)
    single = (policy.credentials, policy.max_age)
    return [[one.value for one in values] for values in lists], [one and one.value for one in single]


def _both(one: FoundPolicy, other: FoundPolicy) -> FoundPolicy:
    credentials = (one.credentials, other.credentials)
    ages = [found for found in (one.max_age, other.max_age) if found is not None]
    return FoundPolicy(
        origins=_intersection(one.origins, other.origins, lambda value: value),
        methods=_intersection(one.methods, other.methods, lambda value: value),
        allow_headers=_headers(one.allow_headers, other.allow_headers),
        expose_headers=_intersection(one.expose_headers, other.expose_headers, str.lower),
        credentials=next(
            (found for found in credentials if found is None or not found.value), credentials[0]
        ),
        max_age=min(ages, key=lambda found: found.value) if len(ages) == 2 else None,
    )


def _intersection(
    one: Sequence[Found[_Value]], other: Sequence[Found[_Value]], key: Callable[[_Value], object]
) -> tuple[Found[_Value], ...]:
    if any(found.value == ANY for found in one):
        return tuple(other)
    if any(found.value == ANY for found in other):
        return tuple(one)
    # An origin can be a mapping, which has no hash.
    known = {repr(key(found.value)) for found in other}
    return tuple(found for found in one if repr(key(found.value)) in known)


def _headers(one: Sequence[Found[str]], other: Sequence[Found[str]]) -> tuple[Found[str], ...]:
    """The names that both allow; ``*`` covers every name but Authorization, which must be in both."""
    both = _intersection(one, other, str.lower)
    authorization = "authorization"
    sides = [{found.value.lower() for found in side} for side in (one, other)]
    allowed = all(authorization in side for side in sides)
    kept = [found for found in both if found.value.lower() != authorization or allowed]
    if allowed and authorization not in {found.value.lower() for found in kept}:
        kept.append(next(found for found in one if found.value.lower() == authorization))
    return tuple(kept)
