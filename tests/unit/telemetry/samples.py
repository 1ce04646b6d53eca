"""Sampled requests for the tests, as a node reports them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from crossgate.compiler.route_names import DecisionSeries
from crossgate.telemetry.sampled_request import SampledRequest

PETS = "pets/1.0"
NOON = 1_800_014_400.0
"""2027-01-15, 12:00 UTC."""
REFUSED = DecisionSeries(PETS, "/gateway/pets/1.0", "cors-request", "origin-refused")
ALLOWED = DecisionSeries(PETS, "/gateway/pets/1.0", "cors-request", "origin-allowed")

_SAMPLE = SampledRequest(
    REFUSED,
    "node-1",
    NOON,
    "6b1ab1e5-3f35-9a2c-8a4d-0f4a4b1ed8a1",
    "GET",
    "/gateway/pets/1.0/dogs",
    403,
    "https://app.example",
    address="192.0.2.1",
    user_agent="curl/8.5.0",
)


def sample(**values: Any) -> SampledRequest:
    return replace(_SAMPLE, **values)
