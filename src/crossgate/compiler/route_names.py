"""The names of routes, by which Envoy counts and reports decisions.

A name is up to five words: ``petstore/1.0 /gateway/petstore/1.0 preflight method-refused``, and ``observed``
for a decision that observe mode does not enforce. All words are the catalogue's or ours, never a request's.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from crossgate.policy.decision import Flow, Outcome, Reason

SERVER_LEVEL: Final = "server-level"
"""In place of an API, where server-level CORS decided."""
DECISIONS_OF_OPTIONS: Final = "crossgate_options"
DECISIONS_OF_OTHERS: Final = "crossgate"
"""Prefixes of Envoy's counters ``PREFIX.decisions.route.NAME``: of OPTIONS requests, and of others.

A head that Envoy cannot parse has no method, and counts among the others: the filter on the method needs
``treat_missing_header_as_empty``, because by default a missing header fails an inverted match too.
"""
_OBSERVED: Final = "observed"
_UNMATCHED: Final = "unmatched"


class DecisionSeries(NamedTuple):
    """What one counter counts: the decisions on requests to one endpoint with one outcome.

    A tuple, because 60,000 are hashed several times with each report of a node: with a dataclass, the control
    plane took three times as long for it.
    """

    api: str
    """Key of the API, such as ``petstore/1.0``; or ``server-level``; empty if no API was found."""
    endpoint: str
    flow: str
    reason: str
    observed: bool = False
    """Whether the policy is in observe mode, and the decision was not enforced."""


UNMATCHED: Final = DecisionSeries("", "", _UNMATCHED, _UNMATCHED)
"""Requests that no route matched: an unknown path, or a head that Envoy could not parse."""


def route_name(owner: str, endpoint: str, outcome: Outcome, *, observed: bool) -> str:
    """The name of the routes with this outcome."""
    words = (owner, endpoint, outcome.flow, outcome.reason, *((_OBSERVED,) if observed else ()))
    return " ".join(words)


def parse_route_name(name: str, *, is_options: bool) -> DecisionSeries:
    """What a route of that name decides; `UNMATCHED` for an empty or foreign name.

    ``is_options`` is whether the requests' method is OPTIONS. The routes of an API refuse an origin before
    they look at the method, so their name does not tell a preflight from another request.
    """
    words = name.split(" ")
    observed = len(words) == 5 and words.pop() == _OBSERVED
    if len(words) != 4 or "\0" in name:
        return UNMATCHED
    owner, endpoint, flow, reason = words
    if reason == Reason.ORIGIN_REFUSED and owner != SERVER_LEVEL:
        flow = Flow.PREFLIGHT if is_options else Flow.CORS_REQUEST
    return DecisionSeries(owner, endpoint, flow, reason, observed)
