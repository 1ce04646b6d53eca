"""Decisions of middlewares as an OpenTelemetry counter; needs the extra ``crossgate[opentelemetry]``."""

from __future__ import annotations

from opentelemetry.metrics import MeterProvider, get_meter

from crossgate.middleware.decision_event import DecisionEvent, OnDecision


class OpenTelemetryDecisions:
    """The counter ``crossgate.decisions``, with the attributes and values of the Prometheus counter's labels.

    Without ``meter_provider``, the global one is used. The attributes come from the application and the
    policy, never from a request.
    """

    def __init__(self, meter_provider: MeterProvider | None = None) -> None:
        self._counter = get_meter("crossgate.middleware", meter_provider=meter_provider).create_counter(
            "crossgate.decisions",
            unit="{decision}",
            description="Requests, by the decision of the CORS policy.",
        )

    def of(self, api: str) -> OnDecision:
        """A function that counts the decisions of one middleware; ``api`` names its application."""

        def count(event: DecisionEvent) -> None:
            self._counter.add(
                1,
                {
                    "api": api,
                    "flow": event.flow.value,
                    "reason": event.reason.value,
                    "observed": event.observed,
                },
            )

        return count
