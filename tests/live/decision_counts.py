"""Decisions as an Envoy counts them, read from its admin socket."""

from __future__ import annotations

import time
from collections import Counter

from tests.live.in_process_gateway import LiveGateway

from crossgate.compiler.route_names import (
    DECISIONS_OF_OPTIONS,
    DECISIONS_OF_OTHERS,
    DecisionSeries,
    parse_route_name,
)
from crossgate.policy import EffectivePolicy, Request, ServerPolicy
from crossgate.policy.flow import trace
from crossgate.policy.responses import ResponseSettings

_SECONDS = 30.0
_PREFIXES = {
    f"{DECISIONS_OF_OPTIONS}.decisions.route.": True,
    f"{DECISIONS_OF_OTHERS}.decisions.route.": False,
}


class DecisionCounts:
    """The counters of one gateway since the last look."""

    def __init__(self, gateway: LiveGateway) -> None:
        self._gateway = gateway
        self._seen = self._read()

    def new(self, requests: int) -> Counter[DecisionSeries]:
        """The decisions on that number of requests. Envoy counts one when its stream has ended."""
        deadline = time.monotonic() + _SECONDS
        while True:
            now = self._read()
            assert not self._seen - now, "a counter has fallen"
            found = now - self._seen
            if found.total() >= requests:
                break
            assert time.monotonic() < deadline, f"{found.total()} of {requests}"
        self._seen = now
        assert found.total() == requests
        return found

    def _read(self) -> Counter[DecisionSeries]:
        found: Counter[DecisionSeries] = Counter()
        for name, count in self._gateway.stats("^crossgate").items():
            for prefix, is_options in _PREFIXES.items():
                if name.startswith(prefix):
                    found[parse_route_name(name.removeprefix(prefix), is_options=is_options)] += count
        return found


def decided_series(
    policy: EffectivePolicy | ServerPolicy | None, request: Request, api: str
) -> DecisionSeries:
    """What counts the engine's decision on the request to the API of that name."""
    outcome = trace(policy, request).outcome
    if isinstance(policy, ServerPolicy):
        return DecisionSeries("server-level", "/", *outcome)
    observed = not ResponseSettings.of(policy).enforces(outcome)
    return DecisionSeries(f"{api}/1", f"/gateway/{api}/1", *outcome, observed)
