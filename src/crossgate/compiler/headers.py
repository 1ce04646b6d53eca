"""Headers that Envoy sets and removes: private and untrusted ones of requests, and those of responses."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from envoy.config.common.mutation_rules.v3.mutation_rules_pb2 import HeaderMutation
from envoy.config.core.v3.base_pb2 import DataSource, HeaderValue, HeaderValueOption
from envoy.config.route.v3.route_components_pb2 import DirectResponseAction
from envoy.extensions.filters.http.header_mutation.v3.header_mutation_pb2 import (
    HeaderMutationPerRoute,
    Mutations,
)
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from envoy.extensions.http.early_header_mutation.header_mutation.v3.header_mutation_pb2 import (
    HeaderMutation as EarlyHeaderMutation,
)
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from google.protobuf.any_pb2 import Any

from crossgate.compiler.protobuf import pack
from crossgate.policy.decision import Header
from crossgate.policy.names import CORS_HEADER_PREFIX, ORIGIN, VARY

LOOKUP_HEADER: Final = "x-crossgate-path"
"""A private request header: the normalised path without its query, in which Envoy looks up an API.

It begins with a slash, or with :data:`SERVER_CORS_PASSED` and a slash. Each listener overwrites the header
before a route reads it, and scopes remove it. So a client's value has no effect, and native services do not
get it.
"""

SERVER_CORS_PASSED: Final = "passed"
"""The prefix in :data:`LOOKUP_HEADER` of requests that server-level CORS has allowed."""

UNTRUSTED_FORWARDING_HEADERS: Final = (
    "cf-connecting-ip",
    "client-ip",
    "forwarded",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-original-dst-host",
    "x-forwarded-port",
    "x-forwarded-protocol",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-forwarded-uri",
    "x-forwarded-user",
    "x-original-host",
    "x-original-uri",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
)
"""Removed from every request: a client's own statements about its address, and the request's host and path.

Native services that trust a proxy use them, some before ``X-Forwarded-*``. Their view of the client, host or
path would then differ from the one that the policy was applied to. Each name costs a request 0.15 % of its
instructions.
"""

HEADER_MUTATION: Final = "envoy.filters.http.header_mutation"

_SET = HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
_ADD = HeaderValueOption.APPEND_IF_EXISTS_OR_ADD


def request_header(name: str) -> str:
    """A format string for the value of a request header."""
    return f"%REQ({name})%"


def escape(value: str) -> str:
    """A format string for ``value`` itself: Envoy reads a percent sign as the start of a command."""
    return value.replace("%", "%%")


@lru_cache(maxsize=256)
def set_header(name: str, value: str) -> HeaderValueOption:
    """Replace all values of the header; ``value`` is a format string."""
    return HeaderValueOption(
        header=HeaderValue(key=name, value=value), append_action=_SET, keep_empty_value=not value
    )


@lru_cache(maxsize=1)
def forwarded_host() -> HeaderValueOption:
    """The request header with the request's host, for the native service; that of a trusted proxy stays."""
    return HeaderValueOption(
        header=HeaderValue(key="x-forwarded-host", value=request_header(":authority")),
        append_action=HeaderValueOption.ADD_IF_ABSENT,
    )


@lru_cache(maxsize=1)
def upgrade_only() -> HeaderValueOption:
    """Replace a handshake's ``Connection``; Envoy has removed that of other requests.

    A client's could name headers of the gateway, and an intermediary removes the headers that it names:
    https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
    """
    return HeaderValueOption(
        header=HeaderValue(key="connection", value="Upgrade"),
        append_action=HeaderValueOption.OVERWRITE_IF_EXISTS,
    )


@lru_cache(maxsize=1)
def add_vary() -> HeaderValueOption:
    """Add ``Vary: Origin`` to the values that ``Vary`` has."""
    return HeaderValueOption(header=HeaderValue(key=VARY, value=ORIGIN), append_action=_ADD)


def direct_response(status: int, body: str) -> DirectResponseAction:
    """A response by Envoy itself; with a body, Envoy adds the content type ``text/plain``."""
    return DirectResponseAction(status=status, body=DataSource(inline_string=body) if body else None)


def override_native_headers(headers: tuple[Header, ...], *, vary: bool) -> Any:
    """Remove the native service's ``Access-Control-*`` headers and set ``headers``: a route's filter setting.

    This takes a filter. A route can only remove headers by their full names, and does so before filters run.
    The filter also applies to errors that Envoy itself answers for the route.
    """
    strip = HeaderMutation.RemoveOnMatch(
        key_matcher=StringMatcher(prefix=CORS_HEADER_PREFIX, ignore_case=True)
    )
    mutations = [HeaderMutation(remove_on_match=strip)]
    mutations += [HeaderMutation(append=set_header(name, value)) for name, value in headers]
    if vary:
        mutations.append(HeaderMutation(append=add_vary()))
    return pack(HeaderMutationPerRoute(mutations=Mutations(response_mutations=mutations)))


def mutate_early(manager: HttpConnectionManager, *mutations: HeaderMutation) -> None:
    """Change the headers of a request before Envoy reads any of them."""
    manager.early_header_mutation_extensions.add(
        name="envoy.http.early_header_mutation.header_mutation",
        typed_config=pack(EarlyHeaderMutation(mutations=mutations)),
    )
