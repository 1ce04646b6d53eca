"""A real gRPC client reports to the control plane's own server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any as Message

import grpc
import pytest
from tests.unit.telemetry.messages import entry, log, metrics, node

from crossgate.compiler.route_names import UNMATCHED, DecisionSeries, parse_route_name
from crossgate.net.address import UnixSocket
from crossgate.telemetry.intake import ACCESS_LOG_SERVICE, LARGE_MESSAGE, METRICS_SERVICE, telemetry_services
from crossgate.telemetry.reported_counters import LogDeliveries
from crossgate.telemetry.sampled_request import SampledRequest
from crossgate.xds.server import ControlPlane

ALLOWED = "petstore/1.0 /gateway/petstore/1.0 preflight preflight-allowed"
REFUSED = "petstore/1.0 /gateway/petstore/1.0 cors-request origin-refused"
SERIES = parse_route_name(ALLOWED, is_options=True)


class Received:
    def __init__(self) -> None:
        self.counts: list[tuple[str, str, Mapping[DecisionSeries, int]]] = []
        self.deliveries: list[LogDeliveries] = []
        self.requests: list[SampledRequest] = []
        self.flushes: list[str] = []

    def counted(self, node: str, incarnation: str, values: Mapping[DecisionSeries, int]) -> None:
        self.counts.append((node, incarnation, values))

    def delivered(self, node: str, incarnation: str, deliveries: LogDeliveries) -> None:
        assert (node, incarnation) == ("n", "i")
        self.deliveries.append(deliveries)

    def flushed(self, node: str) -> None:
        self.flushes.append(node)

    def sampled(self, requests: Sequence[SampledRequest]) -> None:
        self.requests += requests


def send(directory: Path, service: str, messages: Sequence[Message | bytes]) -> Received:
    """Send messages in one stream, and return what was handed over when the server has answered."""

    async def run() -> Received:
        received = Received()
        plane = ControlPlane(UnixSocket(directory / "xds.sock"), telemetry_services(received))
        async with asyncio.timeout(20), plane, grpc.aio.insecure_channel(str(plane.address)) as channel:
            method = {METRICS_SERVICE: "StreamMetrics", ACCESS_LOG_SERVICE: "StreamAccessLogs"}[service]
            call = channel.stream_unary(f"/{service}/{method}")
            raw = [m if isinstance(m, bytes) else m.SerializeToString() for m in messages]
            assert await call(iter(raw)) == b""
        return received

    return asyncio.run(run())


def counted(directory: Path, *messages: Message | bytes) -> Received:
    return send(directory, METRICS_SERVICE, messages)


def sampled(directory: Path, *messages: Message | bytes) -> list[SampledRequest]:
    return send(directory, ACCESS_LOG_SERVICE, messages).requests


def test_counters_are_handed_over_when_their_flush_is_whole(tmp_path: Path) -> None:
    received = counted(
        tmp_path,
        metrics({f"crossgate_options.decisions.route.{ALLOWED}": 3}, sender=node()),
        metrics({f"crossgate.decisions.route.{ALLOWED}": 4, "cluster.x": 9}, gauges=["server.live"]),
        metrics({}, gauges=["server.concurrency"]),
        metrics({f"crossgate_options.decisions.route.{ALLOWED}": 5}),
        metrics({f"crossgate.decisions.route.{ALLOWED}": 4}, gauges=["server.live"]),
        metrics({f"crossgate.decisions.route.{ALLOWED}": 4}, gauges=["server.live"]),
    )
    assert received.counts == [("n", "i", {SERIES: 7}), ("n", "i", {SERIES: 9})]


def test_the_method_tells_the_flow_of_a_refused_origin(tmp_path: Path) -> None:
    [(_, _, values)] = counted(
        tmp_path,
        metrics(
            {
                f"crossgate_options.decisions.route.{REFUSED}": 1,
                f"crossgate.decisions.route.{REFUSED}": 2,
                "crossgate.decisions.route.": 3,
                "crossgate.decisions.route.of another program": 4,
            },
            sender=node(),
            gauges=["server.live"],
        ),
    ).counts
    assert {(series.flow, value) for series, value in values.items()} == {
        ("preflight", 1),
        ("cors-request", 2),
        (UNMATCHED.flow, 7),
    }


def test_a_stream_that_ends_within_a_flush_is_handed_over(tmp_path: Path) -> None:
    message = metrics({f"crossgate.decisions.route.{ALLOWED}": 4}, sender=node())
    assert counted(tmp_path, message).counts == [("n", "i", {SERIES: 4})]


@pytest.mark.parametrize("incarnation", [None, "i" * 65])
def test_half_a_flush_of_a_nameless_process_is_not(tmp_path: Path, incarnation: str | None) -> None:
    first = metrics({f"crossgate.decisions.route.{ALLOWED}": 4}, sender=node(incarnation=incarnation))
    assert counted(tmp_path, first).counts == []
    whole = counted(tmp_path, first, metrics({}, gauges=["server.live"]))
    assert whole.counts == [("n", "", {SERIES: 4})]


def test_what_was_not_reported_one_by_one_is_handed_over(tmp_path: Path) -> None:
    counters = {
        "access_log.process_ratelimit.allowed": 10,
        "access_log.process_ratelimit.denied": 90,
        "access_logs.grpc_access_log.logs_written": 8,
        "access_logs.grpc_access_log.logs_dropped": 2,
    }
    received = counted(
        tmp_path,
        metrics(counters, sender=node(), gauges=["server.live"]),
        metrics(counters, gauges=["server.live"]),
    )
    assert received.deliveries == [LogDeliveries(admitted=10, denied=90, written=8, dropped=2)]


def test_a_large_message_is_decoded_as_any_other(tmp_path: Path) -> None:
    foreign = {f"cluster.{'x' * 100}{number}": 1.0 for number in range(3_000)}
    message = metrics(
        {**foreign, f"crossgate.decisions.route.{ALLOWED}": 4}, sender=node(), gauges=["server.live"]
    )
    assert message.ByteSize() > LARGE_MESSAGE
    assert counted(tmp_path, message).counts == [("n", "i", {SERIES: 4})]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 2.0**63, 1e300])
def test_what_no_counter_can_have_counted_is_skipped(tmp_path: Path, value: float) -> None:
    name = f"crossgate.decisions.route.{ALLOWED}"
    first = metrics({name: 4}, sender=node(), gauges=["server.live"])
    wrong = metrics({name: value}, gauges=["server.live"])
    last = metrics({name: 5}, gauges=["server.live"])
    assert counted(tmp_path, first, wrong, last).counts == [("n", "i", {SERIES: 4}), ("n", "i", {SERIES: 5})]


def test_names_that_cannot_be_stored_are_not_handed_over(tmp_path: Path) -> None:
    name = f"crossgate.decisions.route.{ALLOWED}".replace("petstore", "pet\0store")
    received = counted(tmp_path, metrics({name: 4}, sender=node(incarnation="i\0"), gauges=["server.live"]))
    assert received.counts == [("n", "", {UNMATCHED: 4})]
    (request,) = sampled(tmp_path, log(entry(REFUSED.replace("petstore", "\0")), sender=node()))
    assert request.series == UNMATCHED


@pytest.mark.parametrize("node_id", ["", "n" * 257, "n\0", "n\n"])
@pytest.mark.parametrize("service", [METRICS_SERVICE, ACCESS_LOG_SERVICE])
def test_a_stream_without_a_usable_node_id_is_refused(tmp_path: Path, service: str, node_id: str) -> None:
    sender = node(node_id)
    message = metrics({}, sender=sender) if service == METRICS_SERVICE else log(sender=sender)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        send(tmp_path, service, [message])
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_message_that_cannot_be_decoded_is_skipped(tmp_path: Path) -> None:
    broken = b"\xff" * 40
    whole = metrics({f"crossgate.decisions.route.{ALLOWED}": 4}, gauges=["server.live"])
    assert counted(tmp_path, metrics({}, sender=node()), broken, whole).counts == [("n", "i", {SERIES: 4})]
    assert len(sampled(tmp_path, log(sender=node()), broken, log(entry(REFUSED)))) == 1


def test_a_refused_request_is_handed_over(tmp_path: Path) -> None:
    headers = {
        "origin": "https://a.example",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "x-a,x-b",
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "cors",
        "sec-fetch-dest": "empty",
    }
    refused = entry(REFUSED, headers, method="OPTIONS", path="/gateway/petstore/1.0/a?key=secret")
    assert sampled(tmp_path, log(refused, sender=node())) == [
        SampledRequest(
            series=parse_route_name(REFUSED, is_options=True),
            node="n",
            time=1_700_000_000.5,
            request_id="an-id",
            method="OPTIONS",
            path="/gateway/petstore/1.0/a",
            status=403,
            origin="https://a.example",
            request_method="PUT",
            request_headers="x-a,x-b",
            address="203.0.113.9",
            user_agent="curl/8",
            fetch_site="cross-site",
            fetch_mode="cors",
            fetch_dest="empty",
        )
    ]


def test_a_method_that_envoy_has_no_number_for(tmp_path: Path) -> None:
    unusual = entry(REFUSED, {":method": "PURGE"}, method="METHOD_UNSPECIFIED")
    assert [one.method for one in sampled(tmp_path, log(unusual, sender=node()))] == ["PURGE"]


def test_what_a_client_sent_is_bounded(tmp_path: Path) -> None:
    long = "x" * 60_000
    hostile = entry(
        REFUSED,
        {
            "origin": long,
            "access-control-request-method": long,
            "access-control-request-headers": ",".join(["name"] * 10_000),
            "sec-fetch-site": long,
        },
        path="/" + long,
    )
    hostile.request.user_agent = hostile.request.request_id = long
    [one] = sampled(tmp_path, log(hostile, sender=node()))
    texts = [value for value in (getattr(one, name) for name in one.__slots__) if isinstance(value, str)]
    assert max(map(len, texts)) == 1024
    assert one.origin.endswith("x…")
    assert one.request_headers.split(",")[-2:] == ["name", "…"]
