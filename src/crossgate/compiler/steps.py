"""The steps of a flow: what becomes of a request, and under which conditions.

They are nobody's in particular: :mod:`crossgate.compiler.routes` makes an API's routes of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from envoy.config.route.v3.route_components_pb2 import Route

from crossgate.compiler.conditions import Conditions
from crossgate.compiler.headers import (
    HEADER_MUTATION,
    add_vary,
    direct_response,
    override_native_headers,
    set_header,
)
from crossgate.compiler.protobuf import encode_field, field_tag, serialise
from crossgate.policy.decision import Header, Reason
from crossgate.policy.malformed import answer_to_malformed

_STATISTICS: Final = field_tag(Route, "stat_prefix")


class RouteEffect(NamedTuple):
    """One way in which a decision can end."""

    reason: Reason
    fields: bytes
    """Fields of the route that are the same for whoever speaks."""
    forwarded: bool


class RouteStep(NamedTuple):
    """What becomes of a request for which all conditions hold, and no earlier step's do."""

    conditions: Conditions
    outcome: RouteEffect


def under(conditions: Conditions, steps: Iterable[RouteStep]) -> list[RouteStep]:
    """The steps, each only where these conditions hold too."""
    return [RouteStep((*conditions, *step.conditions), step.outcome) for step in steps]


def each(alternatives: Iterable[Conditions], outcome: RouteEffect) -> list[RouteStep]:
    """The outcome for each of the alternatives."""
    return [RouteStep(conditions, outcome) for conditions in alternatives]


def malformed(reason: Reason, *, vary: bool) -> RouteEffect:
    """Refused as HTTP."""
    answer = answer_to_malformed(reason, ())
    return answered(reason, answer.status, answer.body, answer.headers, vary=vary)


def passed(reason: Reason) -> RouteEffect:
    """Forwarded, and the answer left as it comes."""
    return RouteEffect(reason, b"", forwarded=True)


def observed(reason: Reason) -> RouteEffect:
    """Forwarded as by :func:`passed`, and counted under the reason that enforcing would have given."""
    return RouteEffect(reason, encode_field(_STATISTICS, f"observe.{reason}".encode()), forwarded=True)


@lru_cache(maxsize=256)
def forwarded(reason: Reason, headers: tuple[Header, ...], *, vary: bool) -> RouteEffect:
    """Forwarded; the gateway takes precedence in the answer's headers."""
    settings = {HEADER_MUTATION: override_native_headers(headers, vary=vary)}
    return RouteEffect(reason, serialise(Route(typed_per_filter_config=settings)), forwarded=True)


@lru_cache(maxsize=256)
def answered(
    reason: Reason, status: int, body: str, headers: tuple[Header, ...], *, vary: bool
) -> RouteEffect:
    """Answered by the gateway; the native service never hears of it."""
    options = [set_header(*header) for header in headers]
    route = Route(
        direct_response=direct_response(status, body),
        response_headers_to_add=[*options, add_vary()] if vary else options,
    )
    return RouteEffect(reason, serialise(route), forwarded=False)
