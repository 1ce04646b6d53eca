"""Trees of Envoy's matching API over request headers: conditions, branches and leaves.

A protobuf message copies what is put into it, whole, at every level of a tree. So a tree is made of values of
our own, which share their parts, and is written into its message once. Conditions and leaves are messages;
nobody changes one, so equal ones are made once.

A header that is absent gives a condition no input, and Envoy takes the condition for false, whatever
stands inside; so no condition here is a bare negation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol, TypeAlias

from envoy.config.route.v3.route_components_pb2 import Route
from envoy.type.matcher.v3.http_inputs_pb2 import HttpRequestHeaderMatchInput
from xds.core.v3.extension_pb2 import TypedExtensionConfig
from xds.type.matcher.v3.matcher_pb2 import Matcher
from xds.type.matcher.v3.regex_pb2 import RegexMatcher
from xds.type.matcher.v3.string_pb2 import StringMatcher

from crossgate.compiler.protobuf import extension, serialise
from crossgate.policy.names import ORIGIN

Predicate: TypeAlias = Matcher.MatcherList.Predicate
OnMatch: TypeAlias = Matcher.OnMatch
_ROUTE: Final = f"type.googleapis.com/{Route.DESCRIPTOR.full_name}"


class Branch(Protocol):
    """What is to be done when the search came here."""

    def write(self, into: OnMatch) -> None:
        """Write the branch into an empty message."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """The end of the search: a serialised route."""

    route: bytes

    def write(self, into: OnMatch) -> None:
        """Write the leaf into an empty message."""
        action = into.action
        action.name = "route"
        action.typed_config.type_url = _ROUTE
        action.typed_config.value = self.route


@dataclass(frozen=True, slots=True)
class Fork:
    """The first case that holds decides, else ``otherwise``; without one, nothing is found."""

    cases: tuple[tuple[Predicate, Branch], ...]
    otherwise: Branch | None = None

    def write(self, into: OnMatch) -> None:
        """Write the fork into an empty message."""
        self.write_root(into.matcher)

    def write_root(self, into: Matcher) -> None:
        """Write the fork as the root of a tree."""
        fields = into.matcher_list.matchers
        for case, then in self.cases:
            field = fields.add()
            field.predicate.CopyFrom(case)
            then.write(field.on_match)
        if self.otherwise is not None:
            self.otherwise.write(into.on_no_match)


_KEPT: Final = 256

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


@lru_cache(maxsize=_KEPT)
def equals_any(header: str, values: tuple[str, ...]) -> Predicate:
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


@lru_cache(maxsize=_KEPT)
def has_origin(public_origins: frozenset[str]) -> Predicate:
    """Whether there is an ``Origin``, and not one of the gateway's own."""
    present = matches(ORIGIN, PRESENT)
    own = tuple(sorted(public_origins))
    return all_of([present, is_not(equals_any(ORIGIN, own))]) if own else present


def leaf(route: Route) -> Leaf:
    """The end of the search: this route."""
    return Leaf(serialise(route))


def branch(cases: list[tuple[Predicate, Branch]], otherwise: Branch | None = None) -> Fork:
    """The first case that holds decides, else ``otherwise``."""
    return Fork(tuple(cases), otherwise)


def write_tree(root: Branch, into: Matcher) -> None:
    """Write the tree that begins at ``root`` into an empty message."""
    (root if isinstance(root, Fork) else Fork((), root)).write_root(into)


def literal(text: str) -> str:
    """The text as an RE2 expression that matches nothing else."""
    return re.sub(r"[^A-Za-z0-9_/-]", lambda found: "\\" + found[0], text)
