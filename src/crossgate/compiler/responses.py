"""Headers on what goes back: on answers of the gateway's own, and on what the native service answers."""

from __future__ import annotations

from functools import lru_cache

from envoy.config.common.mutation_rules.v3.mutation_rules_pb2 import HeaderMutation
from envoy.config.core.v3.base_pb2 import DataSource, HeaderValue, HeaderValueOption
from envoy.config.route.v3.route_components_pb2 import DirectResponseAction
from envoy.extensions.filters.http.header_mutation.v3.header_mutation_pb2 import (
    HeaderMutationPerRoute,
    Mutations,
)
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from google.protobuf.any_pb2 import Any

from crossgate.compiler.protobuf import pack
from crossgate.policy.decision import Header
from crossgate.policy.names import CORS_HEADER_PREFIX, ORIGIN, VARY

HEADER_MUTATION = "envoy.filters.http.header_mutation"

_SET = HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
_ADD = HeaderValueOption.APPEND_IF_EXISTS_OR_ADD


def reflected(header: str) -> str:
    """A value that is the request's own header, for :func:`setting`."""
    return f"%REQ({header})%"


def verbatim(value: str) -> str:
    """A value that means itself: Envoy takes a percent sign for the start of a command."""
    return value.replace("%", "%%")


@lru_cache(maxsize=256)
def setting(name: str, value: str) -> HeaderValueOption:
    """Put the header in place of whatever was there; ``value`` is verbatim or reflected."""
    return HeaderValueOption(
        header=HeaderValue(key=name, value=value), append_action=_SET, keep_empty_value=not value
    )


@lru_cache(maxsize=256)
def varying() -> HeaderValueOption:
    """``Vary: Origin``, beside what was there."""
    return HeaderValueOption(header=HeaderValue(key=VARY, value=ORIGIN), append_action=_ADD)


def answer(status: int, body: str) -> DirectResponseAction:
    """The gateway answers itself; Envoy adds the content type of plain text."""
    return DirectResponseAction(status=status, body=DataSource(inline_string=body) if body else None)


def precedence(headers: tuple[Header, ...], *, vary: bool) -> Any:
    """The gateway's word over the native service's: its ``Access-Control-*`` goes, ``headers`` come.

    A filter does it, because a route can only remove headers by name, and removes them before the filters
    see the answer. It also sees the errors that Envoy itself answers for the route. Packed as the route's
    setting of that filter.
    """
    strip = HeaderMutation.RemoveOnMatch(
        key_matcher=StringMatcher(prefix=CORS_HEADER_PREFIX, ignore_case=True)
    )
    mutations = [HeaderMutation(remove_on_match=strip)]
    mutations += [HeaderMutation(append=setting(name, value)) for name, value in headers]
    if vary:
        mutations.append(HeaderMutation(append=varying()))
    return pack(HeaderMutationPerRoute(mutations=Mutations(response_mutations=mutations)))
