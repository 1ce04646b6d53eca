"""What a middleware reports of its decisions, and the exporters that count them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry

from crossgate.middleware import CorsMiddleware, DecisionEvent, OnDecision, WsgiCorsMiddleware, build_policy
from crossgate.middleware.live import Policy
from crossgate.middleware.opentelemetry import OpenTelemetryDecisions
from crossgate.middleware.prometheus import PrometheusDecisions

SHOP = "https://shop.example"
EVIL = "https://evil.example"
ENFORCED = build_policy(allowed_origins=[SHOP], allowed_methods=["GET"])
OBSERVED = build_policy(allowed_origins=[SHOP], allowed_methods=["GET"], mode="observe")

Headers = dict[str, str]
Call = Callable[[Policy, OnDecision, str, str, Headers], int]


def call_asgi(policy: Policy, on_decision: OnDecision, method: str, path: str, headers: Headers) -> int:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": lines}
    asyncio.run(CorsMiddleware(app, policy, on_decision=on_decision)(scope, receive, send))
    status: int = sent[0]["status"]
    return status


def call_wsgi(policy: Policy, on_decision: OnDecision, method: str, path: str, headers: Headers) -> int:
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, "SCRIPT_NAME": ""}
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    setup_testing_defaults(environ)
    statuses: list[int] = []

    def start_response(status: str, _headers: Any, _info: Any = None) -> Any:
        statuses.append(int(status.split(maxsplit=1)[0]))

    def app(_environ: Any, start: Any) -> list[bytes]:
        start("204 No Content", [])
        return []

    list(WsgiCorsMiddleware(app, policy, on_decision=on_decision)(environ, start_response))
    return statuses[0]


@pytest.fixture(params=[call_asgi, call_wsgi], ids=["asgi", "wsgi"])
def call(request: pytest.FixtureRequest) -> Call:
    called: Call = request.param
    return called


PREFLIGHT = {"Origin": SHOP, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "X-A"}

CASES = [
    (ENFORCED, "GET", {"Origin": SHOP}, 204, ("cors-request", "origin-allowed", False, False)),
    (ENFORCED, "GET", {"Origin": EVIL}, 403, ("cors-request", "origin-refused", True, False)),
    (ENFORCED, "OPTIONS", {"Origin": EVIL}, 403, ("preflight", "origin-refused", True, False)),
    (ENFORCED, "OPTIONS", PREFLIGHT, 405, ("preflight", "method-refused", True, False)),
    (ENFORCED, "GET", {}, 204, ("no-origin", "no-origin", False, False)),
    (ENFORCED, "TRACE", {}, 405, ("malformed", "method-forbidden", True, False)),
    (OBSERVED, "GET", {"Origin": EVIL}, 204, ("cors-request", "origin-refused", True, True)),
    (OBSERVED, "GET", {"Origin": SHOP}, 204, ("cors-request", "origin-allowed", False, True)),
    (OBSERVED, "TRACE", {}, 405, ("malformed", "method-forbidden", True, False)),
    (None, "GET", {"Origin": EVIL}, 204, ("pass-through", "no-policy", False, False)),
]


@pytest.mark.parametrize(("policy", "method", "headers", "status", "expected"), CASES)
def test_each_decision_is_reported(
    call: Call, policy: Policy, method: str, headers: Headers, status: int, expected: tuple[object, ...]
) -> None:
    events: list[DecisionEvent] = []
    assert call(policy, events.append, method, "/pets/7", headers) == status
    [event] = events
    assert (event.flow, event.reason, event.refused, event.observed) == expected
    assert event.path == "/pets/7"
    assert (event.request.method, event.request.origin) == (method, headers.get("Origin", ""))


def test_the_request_is_reported_as_the_policy_reads_it(call: Call) -> None:
    events: list[DecisionEvent] = []
    call(ENFORCED, events.append, "OPTIONS", "/", PREFLIGHT)
    assert (events[0].request.request_method, events[0].request.request_headers) == ("PUT", "X-A")


def test_an_exception_of_the_function_does_not_affect_the_request(
    call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_event: DecisionEvent) -> None:
        raise LookupError("full")

    with caplog.at_level(logging.ERROR, "crossgate.middleware"):
        assert call(ENFORCED, fail, "GET", "/", {"Origin": SHOP}) == 204
        assert call(ENFORCED, fail, "GET", "/", {"Origin": EVIL}) == 403
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


def test_prometheus_counts_the_decisions_of_several_applications(call: Call) -> None:
    registry = CollectorRegistry()
    decisions = PrometheusDecisions(registry)
    for origin in (SHOP, EVIL, EVIL):
        call(ENFORCED, decisions.of("pets/1.0"), "GET", "/", {"Origin": origin})
    call(OBSERVED, decisions.of("stock/2.0"), "GET", "/", {"Origin": EVIL})
    counted = {
        (sample.labels["api"], sample.labels["reason"], sample.labels["observed"]): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "crossgate_decisions_total"
    }
    assert counted == {
        ("pets/1.0", "origin-allowed", "false"): 1,
        ("pets/1.0", "origin-refused", "false"): 2,
        ("stock/2.0", "origin-refused", "true"): 1,
    }


def test_opentelemetry_counts_the_decisions(call: Call) -> None:
    reader = InMemoryMetricReader()
    decisions = OpenTelemetryDecisions(MeterProvider(metric_readers=[reader]))
    for origin in (SHOP, EVIL, EVIL):
        call(ENFORCED, decisions.of("pets/1.0"), "GET", "/", {"Origin": origin})
    data = reader.get_metrics_data()
    assert data is not None
    [metric] = data.resource_metrics[0].scope_metrics[0].metrics
    points: Any = metric.data.data_points
    counted = {(point.attributes["reason"], point.attributes["api"]): point.value for point in points}
    assert metric.name == "crossgate.decisions"
    assert counted == {("origin-allowed", "pets/1.0"): 1, ("origin-refused", "pets/1.0"): 2}
