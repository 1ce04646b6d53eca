"""Observe mode: every request is forwarded, and Envoy counts the decisions by reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.live.decision_counts import DecisionCounts
from tests.live.edge.requests import FROM_FOREIGN, FROM_GOOD, POLICY, cors_of, publish, send
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of
from tests.native_services import ScriptedNative

from crossgate.policy import Mode

pytestmark = pytest.mark.live

FOREIGN_PREFLIGHT = (FROM_FOREIGN, ("Access-Control-Request-Method", "GET"))
BAD_METHOD = (FROM_GOOD, ("Access-Control-Request-Method", "DELETE"))
BAD_HEADER = (FROM_GOOD, ("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "x-a"))


def test_decisions_are_counted_by_reason(gateway: LiveGateway, pet: ScriptedNative) -> None:
    observing = replace(POLICY, mode=Mode.OBSERVE)
    publish(gateway, catalogue_of(gateway.port, [api("pet", pet.port, observing)]))
    before, counts = len(pet.log.seen()), DecisionCounts(gateway)
    requests = [
        ("GET", (FROM_FOREIGN,)),
        ("GET", (FROM_FOREIGN,)),
        ("GET", (FROM_GOOD,)),
        ("GET", ()),
        ("OPTIONS", FOREIGN_PREFLIGHT),
        ("OPTIONS", BAD_METHOD),
        ("OPTIONS", BAD_HEADER),
        ("OPTIONS", ()),
    ]
    for method, headers in requests:
        answer = send(gateway, "/gateway/pet/1/x?cors", *headers, method=method)
        assert answer.status == 200
        assert cors_of(answer)["access-control-allow-origin"] == "http://native.example"
    assert len(pet.log.seen()) - before == len(requests)

    counted = counts.new(len(requests))
    assert {(one.api, one.endpoint, one.observed) for one in counted} == {("pet/1", "/gateway/pet/1", True)}
    assert {(one.flow, one.reason): count for one, count in counted.items()} == {
        ("cors-request", "origin-refused"): 2,
        ("cors-request", "origin-allowed"): 1,
        ("no-origin", "no-origin"): 1,
        ("preflight", "origin-refused"): 1,
        ("preflight", "method-refused"): 1,
        ("preflight", "header-refused"): 1,
        ("preflight", "origin-missing"): 1,
    }
