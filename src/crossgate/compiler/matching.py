"""Trees of Envoy's matching API over request headers: conditions, branches and leaves.

Messages made here are parts of others, which copy them; nobody changes one, so equal ones are made once.

A header that is absent gives a condition no input, and Envoy takes the condition for false, whatever
stands inside; so no condition here is a bare negation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, TypeAlias

from envoy.config.route.v3.route_components_pb2 import Route
from envoy.type.matcher.v3.http_inputs_pb2 import HttpRequestHeaderMatchInput
from xds.core.v3.extension_pb2 import TypedExtensionConfig
from xds.type.matcher.v3.matcher_pb2 import Matcher
from xds.type.matcher.v3.regex_pb2 import RegexMatcher
from xds.type.matcher.v3.string_pb2 import StringMatcher

from crossgate.compiler.protobuf import extension
from crossgate.policy.names import ORIGIN

Predicate: TypeAlias = Matcher.MatcherList.Predicate
Branch: TypeAlias = Matcher.OnMatch

_KEPT: Final = 2048

PRESENT: Final = r"\C+"
"""Any value but the empty one. A dot would not match bytes that are no UTF-8, and such an ``Origin`` would
count as absent."""


@lru_cache(maxsize=_KEPT)
def header_input(name: str) -> TypedExtensionConfig:
    """The header's value; several lines are joined by commas."""
    return extension("header", HttpRequestHeaderMatchInput(header_name=name))


@lru_cache(maxsize=_KEPT)
def matches(header: str, regex: str) -> Predicate:
    """Whether RE2 matches the whole value."""
    value = StringMatcher(safe_regex=RegexMatcher(google_re2=RegexMatcher.GoogleRE2(), regex=regex))
    return Predicate(
        single_predicate=Predicate.SinglePredicate(input=header_input(header), value_match=value)
    )


@lru_cache(maxsize=_KEPT)
def equals(header: str, value: str) -> Predicate:
    """Whether the value is exactly this one, which must not be empty."""
    return Predicate(
        single_predicate=Predicate.SinglePredicate(
            input=header_input(header), value_match=StringMatcher(exact=value)
        )
    )


def equals_any(header: str, values: Iterable[str]) -> Predicate:
    """Whether the value is exactly one of these."""
    return any_of([equals(header, value) for value in values])


def any_of(predicates: list[Predicate]) -> Predicate:
    """Whether at least one holds; of one predicate, that one."""
    if len(predicates) == 1:
        return predicates[0]
    return Predicate(or_matcher=Predicate.PredicateList(predicate=predicates))


def all_of(predicates: list[Predicate]) -> Predicate:
    """Whether all hold; of one predicate, that one."""
    if len(predicates) == 1:
        return predicates[0]
    return Predicate(and_matcher=Predicate.PredicateList(predicate=predicates))


def is_not(predicate: Predicate) -> Predicate:
    """Whether it does not hold; true also for an absent header, so combine it with :data:`PRESENT`."""
    return Predicate(not_matcher=predicate)


def has_origin(public_origins: Iterable[str]) -> Predicate:
    """Whether there is an ``Origin``, and not one of the gateway's own."""
    present = matches(ORIGIN, PRESENT)
    own = sorted(public_origins)
    return all_of([present, is_not(equals_any(ORIGIN, own))]) if own else present


def leaf(route: Route) -> Branch:
    """The end of the search: this route."""
    return Branch(action=extension("route", route))


def branch(cases: list[tuple[Predicate, Branch]], otherwise: Branch) -> Branch:
    """The first case that holds decides, else ``otherwise``."""
    return Branch(matcher=first_of(cases, otherwise))


def first_of(cases: list[tuple[Predicate, Branch]], otherwise: Branch | None = None) -> Matcher:
    """The matcher of which :func:`branch` makes a branch."""
    fields = [Matcher.MatcherList.FieldMatcher(predicate=case, on_match=then) for case, then in cases]
    return Matcher(matcher_list=Matcher.MatcherList(matchers=fields), on_no_match=otherwise)


def literal(text: str) -> str:
    """The text as an RE2 expression that matches nothing else."""
    return re.sub(r"[^A-Za-z0-9_/-]", lambda found: "\\" + found[0], text)
