"""Accepts header names with an underscore, except those that a native service could take for another name."""

from __future__ import annotations

from envoy.config.common.mutation_rules.v3.mutation_rules_pb2 import HeaderMutation
from envoy.config.core.v3.protocol_pb2 import HttpProtocolOptions
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from envoy.type.matcher.v3.regex_pb2 import RegexMatcher
from envoy.type.matcher.v3.string_pb2 import StringMatcher

from crossgate.catalogue.underscore_headers import DROPPED_PATTERN
from crossgate.compiler.headers import mutate_early


def accept_underscores(manager: HttpConnectionManager) -> None:
    """Accept such names in the listener for clients; remove :data:`DROPPED_PATTERN` before any route."""
    manager.common_http_protocol_options.headers_with_underscores_action = HttpProtocolOptions.ALLOW
    dropped = StringMatcher(safe_regex=RegexMatcher(regex=DROPPED_PATTERN))
    removal = HeaderMutation(remove_on_match=HeaderMutation.RemoveOnMatch(key_matcher=dropped))
    mutate_early(manager, removal)
