"""Decisions of middlewares as a Prometheus counter; needs the extra ``crossgate[prometheus]``."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter

from crossgate.middleware.decision_event import DecisionEvent, OnDecision


class PrometheusDecisions:
    """The counter ``crossgate_decisions_total``, with the labels and values that the gateway's has.

    Create one for each registry. The labels come from the application and the policy, never from a request.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._counter = Counter(
            "crossgate_decisions",
            "Requests, by the decision of the CORS policy.",
            ("api", "flow", "reason", "observed"),
            registry=registry,
        )

    def of(self, api: str) -> OnDecision:
        """A function that counts the decisions of one middleware; ``api`` names its application."""

        def count(event: DecisionEvent) -> None:
            observed = str(event.observed).lower()
            self._counter.labels(api, event.flow.value, event.reason.value, observed).inc()

        return count
