"""Observe mode: every request is forwarded, and Envoy counts the decisions by reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
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
    before = len(pet.log.seen())
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
        answer = send(gateway, "/gateway/pet/1?cors", *headers, method=method)
        assert answer.status == 200
        assert cors_of(answer)["access-control-allow-origin"] == "http://native.example"
    assert len(pet.log.seen()) - before == len(requests)

    prefix = "vhost.pet/1.route.observe."
    counted = gateway.stats(r"^vhost\..*\.route\.observe\..*\.upstream_rq_completed$")
    assert {name.removeprefix(prefix).removesuffix(".upstream_rq_completed"): count
            for name, count in counted.items()} == {
        "origin-refused": 3,
        "origin-allowed": 1,
        "no-origin": 1,
        "method-refused": 1,
        "header-refused": 1,
        "origin-missing": 1,
    }  # fmt: skip
