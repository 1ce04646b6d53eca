"""The steps of a flow: what becomes of a request, and under which conditions.

They are nobody's in particular: :mod:`crossgate.compiler.routes` makes an API's routes of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from envoy.config.route.v3.route_components_pb2 import Route

from crossgate.compiler.conditions import Conditions
from crossgate.compiler.protobuf import record, serialise, tag
from crossgate.compiler.responses import HEADER_MUTATION, answer, precedence, setting, varying
from crossgate.policy.decision import Header, Reason
from crossgate.policy.malformed import answer_to_malformed

_STATISTICS: Final = tag(Route, "stat_prefix")


class Outcome(NamedTuple):
    """One way in which a decision can end."""

    reason: Reason
    fields: bytes
    """Fields of the route that are the same for whoever speaks."""
    forwarded: bool


class Step(NamedTuple):
    """What becomes of a request for which all conditions hold, and no earlier step's do."""

    conditions: Conditions
    outcome: Outcome


def under(conditions: Conditions, steps: Iterable[Step]) -> list[Step]:
    """The steps, each only where these conditions hold too."""
    return [Step((*conditions, *step.conditions), step.outcome) for step in steps]


def each(alternatives: Iterable[Conditions], outcome: Outcome) -> list[Step]:
    """The outcome for each of the alternatives."""
    return [Step(conditions, outcome) for conditions in alternatives]


def malformed(reason: Reason, *, vary: bool) -> Outcome:
    """Refused as HTTP."""
    answer = answer_to_malformed(reason, ())
    return answered(reason, answer.status, answer.body, answer.headers, vary=vary)


def passed(reason: Reason) -> Outcome:
    """Forwarded, and the answer left as it comes."""
    return Outcome(reason, b"", forwarded=True)


def observed(reason: Reason) -> Outcome:
    """Forwarded as by :func:`passed`, and counted under the reason that enforcing would have given."""
    return Outcome(reason, record(_STATISTICS, f"observe.{reason}".encode()), forwarded=True)


@lru_cache(maxsize=256)
def forwarded(reason: Reason, headers: tuple[Header, ...], *, vary: bool) -> Outcome:
    """Forwarded; the gateway takes precedence in the answer's headers."""
    settings = {HEADER_MUTATION: precedence(headers, vary=vary)}
    return Outcome(reason, serialise(Route(typed_per_filter_config=settings)), forwarded=True)


@lru_cache(maxsize=256)
def answered(reason: Reason, status: int, body: str, headers: tuple[Header, ...], *, vary: bool) -> Outcome:
    """Answered by the gateway; the native service never hears of it."""
    options = [setting(*header) for header in headers]
    route = Route(
        direct_response=answer(status, body),
        response_headers_to_add=[*options, varying()] if vary else options,
    )
    return Outcome(reason, serialise(route), forwarded=False)
