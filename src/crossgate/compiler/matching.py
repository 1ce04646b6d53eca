"""Trees of Envoy's matching API over request headers: conditions, branches and leaves.

Conditions, branches and leaves are the bytes of their messages, joined from the leaves up; conditions that
recur are made once.

A header that is absent gives a condition no input, and Envoy takes the condition for false, whatever
stands inside; so no condition here is a bare negation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple, NewType

from envoy.config.route.v3.route_components_pb2 import Route
from envoy.type.matcher.v3.http_inputs_pb2 import HttpRequestHeaderMatchInput
from google.protobuf.any_pb2 import Any
from xds.core.v3.extension_pb2 import TypedExtensionConfig
from xds.type.matcher.v3.matcher_pb2 import Matcher
from xds.type.matcher.v3.regex_pb2 import RegexMatcher
from xds.type.matcher.v3.string_pb2 import StringMatcher

from crossgate.compiler.protobuf import extension, record, serialise, tag, type_url
from crossgate.policy.names import ORIGIN

Predicate = NewType("Predicate", bytes)
"""A condition: the bytes of a ``Matcher.MatcherList.Predicate``."""


class Branch(NamedTuple):
    """What is to be done when the search came here: the one field of a ``Matcher.OnMatch``, and its bytes."""

    field: bytes
    body: bytes


_Message = Matcher.MatcherList.Predicate
_SINGLE: Final = tag(_Message, "single_predicate")
_VALUE_MATCH: Final = tag(_Message.SinglePredicate, "value_match")
_EXACT: Final = tag(StringMatcher, "exact")
_ALL: Final = tag(_Message, "and_matcher")
_ANY: Final = tag(_Message, "or_matcher")
_NOT: Final = tag(_Message, "not_matcher")
_LISTED: Final = tag(_Message.PredicateList, "predicate")

_LIST: Final = tag(Matcher, "matcher_list")
_CASE: Final = tag(Matcher.MatcherList, "matchers")
_CONDITION: Final = tag(Matcher.MatcherList.FieldMatcher, "predicate")
_THEN: Final = tag(Matcher.MatcherList.FieldMatcher, "on_match")
_OTHERWISE: Final = tag(Matcher, "on_no_match")
_TREE: Final = tag(Matcher, "matcher_tree")
_DEEPER: Final = tag(Matcher.OnMatch, "matcher")

_ACTION: Final = tag(Matcher.OnMatch, "action")
_CONFIG: Final = tag(TypedExtensionConfig, "typed_config")
_VALUE: Final = tag(Any, "value")
_NAMED_ROUTE: Final = serialise(TypedExtensionConfig(name="route"))
_TYPED_ROUTE: Final = serialise(Any(type_url=type_url(Route)))


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
    return _asked(header, serialise(value))


@lru_cache(maxsize=_KEPT)
def equals(header: str, value: str) -> Predicate:
    """Whether the value is exactly this one, which must not be empty."""
    return _asked(header, record(_EXACT, value.encode()))


@lru_cache(maxsize=_KEPT)
def equals_any(header: str, values: tuple[str, ...]) -> Predicate:
    """Whether the value is exactly one of these."""
    return any_of([equals(header, value) for value in values])


def any_of(predicates: list[Predicate]) -> Predicate:
    """Whether at least one holds; of one predicate, that one."""
    if len(predicates) == 1:
        return predicates[0]
    return Predicate(record(_ANY, b"".join([record(_LISTED, one) for one in predicates])))


def all_of(predicates: list[Predicate]) -> Predicate:
    """Whether all hold; of one predicate, that one."""
    if len(predicates) == 1:
        return predicates[0]
    return Predicate(record(_ALL, b"".join([record(_LISTED, one) for one in predicates])))


def is_not(predicate: Predicate) -> Predicate:
    """Whether it does not hold; true also for an absent header, so combine it with :data:`PRESENT`."""
    return Predicate(record(_NOT, predicate))


@lru_cache(maxsize=_KEPT)
def has_origin(public_origins: frozenset[str]) -> Predicate:
    """Whether there is an ``Origin``, and not one of the gateway's own."""
    present = matches(ORIGIN, PRESENT)
    own = tuple(sorted(public_origins))
    return all_of([present, is_not(equals_any(ORIGIN, own))]) if own else present


def _asked(header: str, value: bytes) -> Predicate:
    return Predicate(record(_SINGLE, _asked_of(header) + record(_VALUE_MATCH, value)))


@lru_cache(maxsize=_KEPT)
def _asked_of(header: str) -> bytes:
    return serialise(_Message.SinglePredicate(input=header_input(header)))


def leaf(route: bytes) -> Branch:
    """The end of the search: this serialised route."""
    config = _TYPED_ROUTE + record(_VALUE, route)
    return Branch(_ACTION, _NAMED_ROUTE + record(_CONFIG, config))


def branch(cases: Sequence[tuple[Predicate, Branch]], otherwise: Branch | None = None) -> Branch:
    """The first case that holds decides, else ``otherwise``; without one, nothing is found."""
    listed = [record(_CASE, record(_CONDITION, case) + record(_THEN, record(*then))) for case, then in cases]
    written = record(_LIST, b"".join(listed)) if listed else b""
    return Branch(_DEEPER, written + _finally(otherwise) if otherwise is not None else written)


def look_up(tree: bytes, otherwise: Branch) -> Branch:
    """What the serialised ``MatcherTree`` finds, else ``otherwise``."""
    return Branch(_DEEPER, record(_TREE, tree) + _finally(otherwise))


def matcher(root: Branch) -> bytes:
    """The bytes of the ``Matcher`` that begins at ``root``."""
    return root.body if root.field == _DEEPER else _finally(root)


def _finally(otherwise: Branch) -> bytes:
    return record(_OTHERWISE, record(*otherwise))


def literal(text: str) -> str:
    """The text as an RE2 expression that matches nothing else."""
    return re.sub(r"[^A-Za-z0-9_/-]", lambda found: "\\" + found[0], text)
