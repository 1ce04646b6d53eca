"""What came back from the gateway is compared with the decision."""

from __future__ import annotations

import pytest

from crossgate.policy import EffectivePolicy, Request, build_policy, decide
from crossgate.service.sent_request import SentResponse, find_disagreements

ORIGIN = "https://app.example"
POLICY = EffectivePolicy.of(build_policy(allowed_origins=[ORIGIN], allowed_methods=["GET"]))
REFUSED = decide(POLICY, Request("OPTIONS", "https://evil.example", "GET"))
FORWARDED = decide(POLICY, Request("GET", ORIGIN))


@pytest.mark.parametrize(
    ("decision", "response", "found"),
    [
        (REFUSED, SentResponse(403, (("vary", "Origin"),)), []),
        (REFUSED, SentResponse(200, (("Vary", "Accept, Origin"),)), ["computed status 403, got 200"]),
        (REFUSED, SentResponse(403, ()), ["vary: computed Origin, got none"]),
        (FORWARDED, SentResponse(502, (("Access-Control-Allow-Origin", ORIGIN), ("Vary", "Origin"))), []),
        (
            FORWARDED,
            SentResponse(200, (("Access-Control-Allow-Origin", "*"), ("Vary", "Origin"))),
            [f"access-control-allow-origin: computed {ORIGIN}, got *"],
        ),
        (
            decide(None, Request("GET", ORIGIN)),
            SentResponse(200, (("Access-Control-Allow-Origin", "*"),)),
            [],
        ),
    ],
)
def test_disagreements(decision: object, response: SentResponse, found: list[str]) -> None:
    assert find_disagreements(decision, response) == found  # type: ignore[arg-type]
