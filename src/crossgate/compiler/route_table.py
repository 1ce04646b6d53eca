"""A route table: a list of routes, of which the first match applies, and a look-up of many exact origins.

The look-up uses ``ServerNameMatcher``, which Envoy documents as work in progress; all that depends on it is
in this file. To it, the entry ``*`` matches everything, and ``*.x`` every name below x with any scheme. So
no entry may contain ``*``; exact origins do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from envoy.config.route.v3.route_components_pb2 import RouteList, VirtualHost
from envoy.type.matcher.v3.http_inputs_pb2 import HttpRequestHeaderMatchInput
from xds.type.matcher.v3.domain_pb2 import ServerNameMatcher
from xds.type.matcher.v3.matcher_pb2 import Matcher
from xds.type.matcher.v3.regex_pb2 import RegexMatcher

from crossgate.compiler.protobuf import extension
from crossgate.compiler.routes import RouteOwner, RouteStep
from crossgate.policy.names import ORIGIN

_ORIGIN: Final = extension("header", HttpRequestHeaderMatchInput(header_name=ORIGIN))
_PATH: Final = extension("path", HttpRequestHeaderMatchInput(header_name=":path"))


@dataclass(frozen=True, slots=True)
class RouteTable:
    """The steps of one owner, in the order in which Envoy tries them."""

    owner: RouteOwner
    steps: Sequence[RouteStep]
    exact_origins: Sequence[str] = ()
    """Requests from these origins use ``steps_of_exact`` instead: one look-up for any number of origins."""
    steps_of_exact: Sequence[RouteStep] = ()

    def preceded_by(self, steps: Sequence[RouteStep]) -> RouteTable:
        """The same table with these steps in front, for requests from all origins."""
        of_exact = (*steps, *self.steps_of_exact) if self.exact_origins else ()
        return replace(self, steps=(*steps, *self.steps), steps_of_exact=of_exact)

    def put_into(self, host: VirtualHost) -> None:
        """Add the table to a virtual host."""
        if self.exact_origins:
            host.matcher.CopyFrom(self._look_up())
        else:
            self.owner.add_routes(self.steps, host)

    def on_match(self) -> Matcher.OnMatch:
        """The table as a result of Envoy's matching API."""
        return Matcher.OnMatch(matcher=self._look_up()) if self.exact_origins else self._list(self.steps)

    def _look_up(self) -> Matcher:
        entry = ServerNameMatcher.DomainMatcher(
            domains=self.exact_origins, on_match=self._list(self.steps_of_exact)
        )
        origins = extension("origins", ServerNameMatcher(domain_matchers=[entry]))
        return Matcher(
            matcher_tree=Matcher.MatcherTree(input=_ORIGIN, custom_match=origins),
            on_no_match=self._list(self.steps),
        )

    def _list(self, steps: Sequence[RouteStep]) -> Matcher.OnMatch:
        routes = RouteList()
        self.owner.add_routes(steps, routes)
        return Matcher.OnMatch(action=extension("routes", routes))


def match_paths(cases: Sequence[tuple[str, RouteTable]]) -> Matcher:
    """A matcher that selects the table of the first expression that matches the whole path."""
    matchers = Matcher.MatcherList()
    for regex, table in cases:
        case = matchers.matchers.add(on_match=table.on_match())
        single = case.predicate.single_predicate
        single.input.CopyFrom(_PATH)
        single.value_match.safe_regex.CopyFrom(RegexMatcher(google_re2=RegexMatcher.GoogleRE2(), regex=regex))
    return Matcher(matcher_list=matchers)
