"""Random policies and hostile requests: the engine and a real Envoy must agree on every one of them.

Envoy's counters must agree too: their sums are those of the engine's decisions.

``CROSSGATE_PAIRS`` sets how many pairs are tried and ``CROSSGATE_SEED`` where the series starts; `make fuzz`
runs a long one. A disagreement names its seed.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest
from tests.case_table import CaseRequest
from tests.differential.generate import Sample, random_pairs
from tests.live.decision_counts import DecisionCounts, decided_series
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of, live_gateway
from tests.native_services import OWN_CORS, ScriptedNative
from tests.raw_http import RawRequest, RawResponse, http1
from tests.visible_result import NativeResponse, expected_result, visible_result

from crossgate.catalogue.model import Application
from crossgate.catalogue.underscore_headers import UnderscoreHeaders
from crossgate.policy import build_policy, decide

pytestmark = pytest.mark.live

PAIRS = int(os.environ.get("CROSSGATE_PAIRS", "20000"))
SAMPLES = 50
REQUESTS = 50
ROUNDS = -(-PAIRS // (SAMPLES * REQUESTS))
SEED = int(os.environ["CROSSGATE_SEED"])
"""Random by default, see tests/conftest.py."""
CONNECTIONS = 8
NATIVE = NativeResponse(200, (*OWN_CORS, ("Vary", "Accept-Encoding")))


@dataclass(frozen=True, slots=True)
class Pair:
    """One sample's API and one request to it; the marker finds it in the native service's log."""

    sample: Sample
    api: str
    request: CaseRequest
    marker: str

    @property
    def wire(self) -> RawRequest:
        target = f"/gateway/{self.api}/1{self.request.path or '/ok'}?cors&vary=Accept-Encoding&{self.marker}"
        return RawRequest(self.request.method, target, self.request.headers)


@pytest.fixture(scope="module")
def native() -> Iterator[ScriptedNative]:
    with ScriptedNative() as service:
        yield service


@pytest.fixture(scope="module")
def gateway() -> Iterator[LiveGateway]:
    with live_gateway() as running:
        yield running


@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_engine_and_envoy_agree(seed: int, gateway: LiveGateway, native: ScriptedNative) -> None:
    drawn = list(random_pairs(seed, SAMPLES, REQUESTS))
    underscores = [*UnderscoreHeaders][seed % 2]
    publish([sample for sample, _ in drawn], gateway, native, underscores)
    pairs = [
        Pair(sample, f"s{index}", _accepted(request, underscores), f"m{index}x{number}x")
        for index, (sample, requests) in enumerate(drawn)
        for number, request in enumerate(requests)
    ]
    native.log.clear()
    counts = DecisionCounts(gateway)
    answers = list(exchange(gateway.port, pairs))
    reached = {target.rpartition("&")[2] for target in (request.target for request in native.log.seen())}
    disagreements = []
    for pair, seen in zip(pairs, answers, strict=True):
        decision = decide(pair.sample.prepared(), pair.request.parsed())
        answer = visible_result(
            reaches_native=pair.marker in reached,
            status=seen.status,
            headers=seen.headers,
            body=None if pair.request.method == "HEAD" else seen.text,
        )
        found = expected_result(decision, NATIVE).differences(answer)
        if found:
            disagreements.append((pair.sample, pair.request, found))
    decided = Counter(
        decided_series(pair.sample.prepared(), pair.request.parsed(), pair.api) for pair in pairs
    )
    counted = counts.new(len(pairs))
    assert counted == decided, f"seed {seed}: {counted - decided} instead of {decided - counted}"
    assert not disagreements, f"seed {seed}: {len(disagreements)}, the first: {disagreements[0]}"


def _accepted(request: CaseRequest, underscores: UnderscoreHeaders) -> CaseRequest:
    """The request without what Envoy's parser refuses before anything is decided."""
    if underscores is UnderscoreHeaders.ALLOW:
        return request
    return replace(request, headers=tuple(line for line in request.headers if "_" not in line[0]))


def publish(
    samples: Sequence[Sample],
    gateway: LiveGateway,
    native: ScriptedNative,
    underscores: UnderscoreHeaders,
) -> None:
    apis = [
        api(f"s{index}", native.port, build_policy(**sample.policy) if sample.policy is not None else None)
        for index, sample in enumerate(samples)
    ]
    applications = [
        Application(f"app{index}", sample.application_origins, (f"s{index}/1",))
        for index, sample in enumerate(samples)
    ]
    outcome = gateway.publish(
        catalogue_of(
            gateway.port,
            apis,
            applications=applications,
            public_origins=samples[0].public_origins,
            same_origin=samples[0].same_origin,
            underscore_headers=underscores,
        )
    )
    assert outcome.applied, outcome.rejections


def exchange(port: int, pairs: Sequence[Pair]) -> Iterator[RawResponse]:
    """The responses, in order; as many requests at once as there are connections.

    Envoy closes a connection with each 400.
    """
    with ExitStack() as stack:
        connections = [stack.enter_context(http1(port)) for _ in range(CONNECTIONS)]
        for start in range(0, len(pairs), CONNECTIONS):
            requests = [pair.wire for pair in pairs[start : start + CONNECTIONS]]
            for connection, request in zip(connections, requests, strict=False):
                connection.send_only(request)
            for number, request in enumerate(requests):
                response = connections[number].read_response(request)
                if "close" in response.all("connection"):
                    connections[number] = stack.enter_context(http1(port))
                yield response
