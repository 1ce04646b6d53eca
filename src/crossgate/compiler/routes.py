"""The routes of a flow: one for each way in which a decision can end, or more.

A route's name is who speaks and the decision's reason, ``petstore/1.0 origin-refused``, so that whatever
counts or logs routes knows which policy spoke, and why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption
from envoy.config.route.v3.route_components_pb2 import Route, RouteAction, RouteMatch
from envoy.type.matcher.v3.regex_pb2 import RegexMatchAndSubstitute, RegexMatcher

from crossgate.catalogue.model import Api
from crossgate.compiler.conditions import Step, literal
from crossgate.compiler.naming import cluster_name
from crossgate.compiler.protobuf import record, seconds, serialise, tag
from crossgate.compiler.responses import (
    HEADER_MUTATION,
    answer,
    precedence,
    setting,
    varying,
    verbatim,
)
from crossgate.policy.decision import Header, Reason

_NAME: Final = tag(Route, "name")
_MATCH: Final = tag(Route, "match")
_PREFIX: Final = tag(RouteMatch, "path_separated_prefix")
_STATISTICS: Final = tag(Route, "stat_prefix")

_ACTION: Final = tag(Route, "route")
_CLUSTER: Final = tag(RouteAction, "cluster")
_AUTHORITY: Final = tag(RouteAction, "host_rewrite_literal")
_REPLACEMENT: Final = tag(RouteAction, "prefix_rewrite")
_REWRITE: Final = tag(RouteAction, "regex_rewrite")
_PATTERN: Final = tag(RegexMatchAndSubstitute, "pattern")
_SUBSTITUTION: Final = tag(RegexMatchAndSubstitute, "substitution")
_REGEX: Final = tag(RegexMatcher, "regex")

_SAID: Final = tag(Route, "request_headers_to_add")
_HEADER: Final = tag(HeaderValueOption, "header")
_KEY: Final = tag(HeaderValue, "key")
_VALUE: Final = tag(HeaderValue, "value")
_OVERWRITE: Final = serialise(HeaderValueOption(append_action=HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD))


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Makes the routes of one flow, each as its bytes: on whose behalf, and what they have in common."""

    speaker: str
    """The API whose policy speaks, or the server."""
    where: bytes
    """Which paths they are for: those fields of a ``RouteMatch``."""
    forward: bytes
    """Where those that are forwarded go to, and with which headers: those fields of a route."""

    @classmethod
    def of_api(cls, api: Api, endpoint: str) -> Outcomes:
        """What can become of requests for an API under one of its endpoints."""
        under = record(_PREFIX, endpoint.encode())
        prefix = record(_KEY, b"x-forwarded-prefix") + record(_VALUE, verbatim(endpoint).encode())
        headers = record(_SAID, record(_HEADER, prefix) + _OVERWRITE)
        return cls(api.key, under, record(_ACTION, _to_native(api, endpoint)) + headers)

    def routes(self, steps: Iterable[Step]) -> tuple[bytes, ...]:
        """The steps as routes, up to the first that always holds."""
        made = []
        for conditions, outcome in steps:
            made.append(record(_MATCH, self.where + b"".join(conditions)) + outcome)
            if not conditions:
                break
        return tuple(made)

    def passed(self, reason: Reason) -> bytes:
        """Forwarded, and the answer left as it comes."""
        return self.forward + self._name(reason)

    def observed(self, reason: Reason) -> bytes:
        """Forwarded as by :meth:`passed`, and counted under the reason that enforcing would have given."""
        return self.passed(reason) + record(_STATISTICS, f"observe.{reason.value}".encode())

    def forwarded(self, reason: Reason, headers: tuple[Header, ...], *, vary: bool) -> bytes:
        """Forwarded; the gateway takes precedence in the answer's headers."""
        return self.passed(reason) + _preceding(headers, vary=vary)

    def answered(
        self, reason: Reason, status: int, body: str, headers: tuple[Header, ...], *, vary: bool
    ) -> bytes:
        """Answered by the gateway; the native service never hears of it."""
        return _answering(status, body, headers, vary=vary) + self._name(reason)

    def _name(self, reason: Reason) -> bytes:
        return record(_NAME, f"{self.speaker} {reason.value}".encode())


@lru_cache(maxsize=256)
def _answering(status: int, body: str, headers: tuple[Header, ...], *, vary: bool) -> bytes:
    """What a route that answers has in common with those of other APIs: all but its name and its path."""
    options = [setting(*header) for header in headers]
    return serialise(
        Route(
            direct_response=answer(status, body),
            response_headers_to_add=[*options, varying()] if vary else options,
        )
    )


@lru_cache(maxsize=256)
def _preceding(headers: tuple[Header, ...], *, vary: bool) -> bytes:
    return serialise(Route(typed_per_filter_config={HEADER_MUTATION: precedence(headers, vary=vary)}))


def _to_native(api: Api, endpoint: str) -> bytes:
    return (
        record(_CLUSTER, cluster_name(api.native).encode())
        + record(_AUTHORITY, api.native.authority.encode())
        + _within(api.native_timeout)
        + _rewritten(endpoint, api.native.base_path)
    )


@lru_cache(maxsize=256)
def _within(timeout: float) -> bytes:
    return serialise(RouteAction(timeout=seconds(timeout)))


def _rewritten(endpoint: str, base: str) -> bytes:
    if base:
        return record(_REPLACEMENT, base.encode())
    # A prefix rewrite to "/" would send "//pets" upstream, hence the expression.
    expression = record(_REGEX, f"^{literal(endpoint)}/?".encode())
    return record(_REWRITE, record(_PATTERN, expression) + record(_SUBSTITUTION, b"/"))
