"""The routes of a flow: the first that holds decides; in front of them is a table if origins are many.

The table is ``ServerNameMatcher``'s, which upstream calls work in progress; all that is known of it stays in
this file. To it ``*`` means everything and ``*.x`` every name under x, whatever the scheme, so no entry may
hold a ``*``: no exact origin does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NewType

from envoy.config.route.v3.route_components_pb2 import RouteList, VirtualHost
from envoy.type.matcher.v3.http_inputs_pb2 import HttpRequestHeaderMatchInput
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from xds.core.v3.extension_pb2 import TypedExtensionConfig
from xds.type.matcher.v3.domain_pb2 import ServerNameMatcher
from xds.type.matcher.v3.matcher_pb2 import Matcher
from xds.type.matcher.v3.regex_pb2 import RegexMatcher

from crossgate.compiler.protobuf import encode_field, extension, field_tag, serialise, type_url
from crossgate.policy.names import ORIGIN

_OnMatch = NewType("_OnMatch", bytes)

_ROUTES: Final = field_tag(VirtualHost, "routes")
_MATCHER: Final = field_tag(VirtualHost, "matcher")
_LISTED: Final = field_tag(RouteList, "routes")

_TREE: Final = field_tag(Matcher, "matcher_tree")
_OTHERWISE: Final = field_tag(Matcher, "on_no_match")
_DEEPER: Final = field_tag(Matcher.OnMatch, "matcher")
_ACTION: Final = field_tag(Matcher.OnMatch, "action")
_INPUT: Final = field_tag(Matcher.MatcherTree, "input")
_CUSTOM: Final = field_tag(Matcher.MatcherTree, "custom_match")
_ENTRY: Final = field_tag(ServerNameMatcher, "domain_matchers")
_FOUND: Final = field_tag(ServerNameMatcher.DomainMatcher, "on_match")
_CONFIG: Final = field_tag(TypedExtensionConfig, "typed_config")
_VALUE: Final = field_tag(Any, "value")


def _opening(name: str, message: type[Message]) -> tuple[bytes, bytes]:
    return serialise(TypedExtensionConfig(name=name)), serialise(Any(type_url=type_url(message)))


_ROUTE_LIST: Final = _opening("routes", RouteList)
_ORIGINS: Final = _opening("origins", ServerNameMatcher)
_ORIGIN_ASKED: Final = encode_field(
    _INPUT, serialise(extension("header", HttpRequestHeaderMatchInput(header_name=ORIGIN)))
)


@dataclass(frozen=True, slots=True)
class RouteTable:
    """Routes, each as its bytes, in the order in which they are asked."""

    listed: tuple[bytes, ...]
    table: tuple[str, ...] = ()
    """Origins for which ``found`` is asked instead of ``listed``: one look-up, however many there are."""
    found: tuple[bytes, ...] = ()

    def preceded_by(self, *routes: bytes) -> RouteTable:
        """The same, but these routes are asked before all."""
        found = (*routes, *self.found) if self.table else ()
        return replace(self, listed=(*routes, *self.listed), found=found)

    def virtual_host_fields(self) -> bytes:
        """The fields of a ``VirtualHost`` that say so."""
        if not self.table:
            return b"".join([encode_field(_ROUTES, route) for route in self.listed])
        return encode_field(_MATCHER, self._look_up())

    def on_match(self) -> _OnMatch:
        """The ``OnMatch`` of the matching API that says so."""
        return _OnMatch(encode_field(_DEEPER, self._look_up()) if self.table else _end(self.listed))

    def _look_up(self) -> bytes:
        entry = serialise(ServerNameMatcher.DomainMatcher(domains=self.table)) + encode_field(
            _FOUND, _end(self.found)
        )
        table = _extension(_ORIGINS, encode_field(_ENTRY, entry))
        return encode_field(_TREE, _ORIGIN_ASKED + encode_field(_CUSTOM, table)) + encode_field(
            _OTHERWISE, _end(self.listed)
        )


def match_paths(cases: Sequence[tuple[str, RouteTable]]) -> bytes:
    """The fields of a ``VirtualHost``: the routing of the first expression that matches the whole path."""
    matchers = Matcher.MatcherList()
    for regex, routing in cases:
        case = matchers.matchers.add()
        single = case.predicate.single_predicate
        single.input.CopyFrom(extension("path", HttpRequestHeaderMatchInput(header_name=":path")))
        single.value_match.safe_regex.CopyFrom(RegexMatcher(google_re2=RegexMatcher.GoogleRE2(), regex=regex))
        case.on_match.ParseFromString(routing.on_match())
    return encode_field(_MATCHER, serialise(Matcher(matcher_list=matchers)))


def _end(routes: Sequence[bytes]) -> _OnMatch:
    listed = b"".join([encode_field(_LISTED, route) for route in routes])
    return _OnMatch(encode_field(_ACTION, _extension(_ROUTE_LIST, listed)))


def _extension(opening: tuple[bytes, bytes], body: bytes) -> bytes:
    name, kind = opening
    return name + encode_field(_CONFIG, kind + encode_field(_VALUE, body))
