"""The routes of a flow: its steps, on behalf of an API or of the server.

A route's name is who speaks and the decision's reason, ``petstore/1.0 origin-refused``, so that whatever
counts or logs routes knows which policy spoke, and why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption
from envoy.config.route.v3.route_components_pb2 import Route, RouteAction, RouteMatch
from envoy.type.matcher.v3.regex_pb2 import RegexMatchAndSubstitute, RegexMatcher

from crossgate.catalogue.model import Api
from crossgate.compiler.conditions import begins_with, literal, matches
from crossgate.compiler.headers import escape
from crossgate.compiler.names import cluster_name
from crossgate.compiler.protobuf import encode_field, field_tag, seconds, serialise
from crossgate.compiler.steps import RouteStep, malformed
from crossgate.policy import Reason
from crossgate.policy.malformed import ECHOING_PREFIX, MALFORMED_HOST_PATTERN
from crossgate.policy.request_path import DOT_SEGMENT_PATTERN

_NAME: Final = field_tag(Route, "name")
_MATCH: Final = field_tag(Route, "match")
_PREFIX: Final = field_tag(RouteMatch, "path_separated_prefix")
_DOT_SEGMENT: Final = serialise(RouteMatch(safe_regex=RegexMatcher(regex=DOT_SEGMENT_PATTERN)))

_ACTION: Final = field_tag(Route, "route")
_CLUSTER: Final = field_tag(RouteAction, "cluster")
_AUTHORITY: Final = field_tag(RouteAction, "host_rewrite_literal")
_REPLACEMENT: Final = field_tag(RouteAction, "prefix_rewrite")
_REWRITE: Final = field_tag(RouteAction, "regex_rewrite")
_PATTERN: Final = field_tag(RegexMatchAndSubstitute, "pattern")
_SUBSTITUTION: Final = field_tag(RegexMatchAndSubstitute, "substitution")
_REGEX: Final = field_tag(RegexMatcher, "regex")

_SAID: Final = field_tag(Route, "request_headers_to_add")
_HEADER: Final = field_tag(HeaderValueOption, "header")
_KEY: Final = field_tag(HeaderValue, "key")
_VALUE: Final = field_tag(HeaderValue, "value")
_OVERWRITE: Final = serialise(HeaderValueOption(append_action=HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD))


@dataclass(frozen=True, slots=True)
class RouteOwner:
    """Whose flow it is: what the routes have in common that one API has not in common with another."""

    name: str
    """The API whose policy speaks, or the server."""
    where: bytes
    """Which paths they are for: those fields of a ``RouteMatch``."""
    forward: bytes
    """Where those that are forwarded go to, and with which headers: those fields of a route."""

    @classmethod
    def of_api(cls, api: Api, endpoint: str, *, prefix_in_scope: bool) -> RouteOwner:
        """An API under one of its endpoints; its routes need not say so if ``prefix_in_scope``."""
        under = encode_field(_PREFIX, endpoint.encode())
        headers = b"" if prefix_in_scope else encode_field(_SAID, forwarded_prefix(endpoint))
        return cls(api.key, under, encode_field(_ACTION, _to_native(api, endpoint)) + headers)

    def routes(self, steps: Iterable[RouteStep]) -> tuple[bytes, ...]:
        """The steps as routes, each as its bytes, up to the first that always holds."""
        made = []
        for conditions, (reason, fields, forwarded) in steps:
            match = encode_field(_MATCH, self.where + b"".join(conditions))
            name = encode_field(_NAME, f"{self.name} {reason}".encode())
            made.append(match + (self.forward + fields if forwarded else fields) + name)
            if not conditions:
                break
        return tuple(made)

    def refuse_malformed(self, *, vary: bool) -> tuple[bytes, ...]:
        """The routes in front of all others, whatever the policy. Together they cost a request under 1 %."""
        paths = replace(self, where=_DOT_SEGMENT).routes(
            [RouteStep((), malformed(Reason.PATH_MALFORMED, vary=vary))]
        )
        method = begins_with(":method", ECHOING_PREFIX)
        host = matches(":authority", MALFORMED_HOST_PATTERN)
        others = [
            RouteStep((method,), malformed(Reason.METHOD_FORBIDDEN, vary=vary)),
            RouteStep((host,), malformed(Reason.HOST_MALFORMED, vary=vary)),
        ]
        return paths + self.routes(others)


def forwarded_prefix(endpoint: str) -> bytes:
    """What tells the native service under which endpoint it was reached: a ``HeaderValueOption``."""
    header = encode_field(_KEY, b"x-forwarded-prefix") + encode_field(_VALUE, escape(endpoint).encode())
    return encode_field(_HEADER, header) + _OVERWRITE


def _to_native(api: Api, endpoint: str) -> bytes:
    return (
        encode_field(_CLUSTER, cluster_name(api.native).encode())
        + encode_field(_AUTHORITY, api.native.authority.encode())
        + _within(api.native_timeout)
        + _rewritten(endpoint, api.native.base_path)
    )


@lru_cache(maxsize=256)
def _within(timeout: float) -> bytes:
    return serialise(RouteAction(timeout=seconds(timeout), append_x_forwarded_host=True))


def _rewritten(endpoint: str, base: str) -> bytes:
    if base:
        return encode_field(_REPLACEMENT, base.encode())
    # A prefix rewrite to "/" would send "//pets" upstream, hence the expression.
    expression = encode_field(_REGEX, f"^{literal(endpoint)}/?".encode())
    return encode_field(_REWRITE, encode_field(_PATTERN, expression) + encode_field(_SUBSTITUTION, b"/"))
