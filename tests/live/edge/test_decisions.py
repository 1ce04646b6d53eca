"""What a real Envoy counts, reports and logs of decisions, and how it names requests."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from tests.catalogues import server_policy
from tests.live.decision_counts import DecisionCounts
from tests.live.edge.requests import FOREIGN, FROM_FOREIGN, FROM_GOOD, GOOD, POLICY, cors_of, publish, send
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of, live_gateway
from tests.native_services import ScriptedNative, SocketNative
from tests.ports import refusing_port
from tests.raw_http import RawRequest, http1, send_http2
from tests.streaming import UPGRADED

from crossgate.catalogue.model import Catalogue
from crossgate.catalogue.telemetry import AccessLog, LoggedRequests, Telemetry
from crossgate.compiler.route_names import UNMATCHED, DecisionSeries
from crossgate.dataplane.supervisor import Timeouts
from crossgate.policy import Mode
from crossgate.telemetry.intake import telemetry_services
from crossgate.telemetry.reported_counters import LogDeliveries
from crossgate.telemetry.sampled_request import SampledRequest

pytestmark = pytest.mark.live

PREFLIGHT = ("Access-Control-Request-Method", "GET")
BROWSER = ("Sec-Fetch-Mode", "cors")
READY = "/.well-known/crossgate/ready"
_SECONDS = 30.0


class Reports:
    """What nodes report one by one; those that are drawn at random apart."""

    def __init__(self) -> None:
        self._requests: list[SampledRequest] = []
        self.drawn: list[SampledRequest] = []

    def counted(self, node: str, incarnation: str, values: Mapping[DecisionSeries, int]) -> None:
        """Not sent by the nodes of these tests."""

    def delivered(self, node: str, incarnation: str, deliveries: LogDeliveries) -> None:
        """Likewise."""

    def flushed(self, node: str) -> None:
        """Likewise."""

    def sampled(self, requests: Sequence[SampledRequest]) -> None:
        """Called in the gateway's thread."""
        self._requests += (one for one in requests if not one.drawn)
        self.drawn += (one for one in requests if one.drawn)

    def take_until(self, found: Callable[[SampledRequest], bool]) -> list[SampledRequest]:
        """The reported requests up to one; Envoy sends them within a second."""
        deadline = time.monotonic() + _SECONDS
        while not any(map(found, self._requests)):
            assert time.monotonic() < deadline, self._requests
            time.sleep(0.02)
        last = next(index for index, one in enumerate(self._requests) if found(one))
        taken, self._requests = self._requests[: last + 1], self._requests[last + 1 :]
        return taken

    def take(self, count: int) -> list[SampledRequest]:
        """Exactly so many reported requests, all that there are."""
        deadline = time.monotonic() + _SECONDS
        while len(self._requests) < count:
            assert time.monotonic() < deadline, self._requests
            time.sleep(0.02)
        taken, self._requests = self._requests, []
        assert len(taken) == count, taken
        return taken


@pytest.fixture(scope="module")
def all_reports() -> Reports:
    return Reports()


@pytest.fixture(scope="module")
def gateway(all_reports: Reports) -> Iterator[LiveGateway]:
    with live_gateway(telemetry_services(all_reports)) as running:
        yield running


@pytest.fixture
def reports(all_reports: Reports, gateway: LiveGateway, pet: ScriptedNative) -> Reports:
    """Without the requests of earlier tests: Envoy's one worker reports in order."""
    publish(gateway, apis(gateway, pet.port))
    [last] = send(gateway, "/gateway/pet/1/x", FROM_FOREIGN).all("x-request-id")
    all_reports.take_until(lambda one: one.request_id == last)
    return all_reports


def series(flow: str, reason: str, *, api: str = "pet", observed: bool = False) -> DecisionSeries:
    return DecisionSeries(f"{api}/1", f"/gateway/{api}/1", flow, reason, observed)


def at_server_level(flow: str, reason: str) -> DecisionSeries:
    return DecisionSeries("server-level", "/", flow, reason)


def apis(gateway: LiveGateway, native: int, *, on: bool = False) -> Catalogue:
    """Two APIs, one in observe mode; with server-level CORS if it is ``on``."""
    observing = replace(POLICY, mode=Mode.OBSERVE)
    declared = [api("pet", native, POLICY), api("watched", native, observing)]
    return catalogue_of(gateway.port, declared, server_policy=server_policy(GOOD) if on else None)


def with_gateway(declared: Catalogue, **fields: object) -> Catalogue:
    made = replace(declared.gateway)
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return replace(declared, gateway=made)


def test_every_kind_of_stream_is_counted_once(gateway: LiveGateway, pet: ScriptedNative) -> None:
    publish(gateway, apis(gateway, pet.port))
    counts = DecisionCounts(gateway)
    send(gateway, "/nowhere?x", FROM_FOREIGN)
    with http1(gateway.port) as connection:
        assert connection.send_raw("GET / HTTP/1.1\r\nHost: a\r\nbad\0: x\r\n\r\n").status == 400
    assert counts.new(2) == {UNMATCHED: 2}

    send_http2(gateway.port, RawRequest("GET", "/gateway/pet/1/x", (FROM_FOREIGN,)))
    send_http2(gateway.port, RawRequest("OPTIONS", "/gateway/pet/1/x", (FROM_FOREIGN, PREFLIGHT)))
    send_http2(gateway.port, RawRequest("GET", "/gateway/pet/1/status/503", (FROM_GOOD,)))
    assert counts.new(3) == {
        series("cors-request", "origin-refused"): 1,
        series("preflight", "origin-refused"): 1,
        series("cors-request", "origin-allowed"): 1,
    }


def test_a_websocket_is_counted_when_it_closes(gateway: LiveGateway) -> None:
    def hold(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(UPGRADED)
        connection.recv(100)

    with SocketNative(hold) as native:
        publish(gateway, apis(gateway, native.port))
        counts = DecisionCounts(gateway)
        handshake = (
            "GET /gateway/pet/1/room HTTP/1.1\r\nHost: gateway.test\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: {GOOD}\r\n\r\n"
        )
        with http1(gateway.port) as connection:
            assert connection.send_raw(handshake).status == 101
            assert not counts.new(0)
        assert counts.new(1) == {series("cors-request", "origin-allowed"): 1}


def test_counters_outlive_the_listeners(pet: ScriptedNative) -> None:
    """Envoy deletes the statistics of a listener with it, and the control plane would count nothing more."""
    with live_gateway(timeouts=Timeouts(drain=1.0)) as changing:
        declared = apis(changing, pet.port)
        publish(changing, declared)
        counts = DecisionCounts(changing)
        send(changing, "/gateway/pet/1/x", FROM_FOREIGN)
        assert counts.new(1)
        changes: list[dict[str, object]] = [
            {"ready_path": True},
            {"telemetry": Telemetry(enabled=False)},
            {"ready_path": True},
        ]
        for fields in changes:
            publish(changing, with_gateway(declared, **fields))
            eventually_drained(changing)
            assert not counts.new(0)
        send(changing, "/gateway/pet/1/x", FROM_FOREIGN)
        assert counts.new(1)


def eventually_drained(gateway: LiveGateway) -> None:
    deadline = time.monotonic() + _SECONDS
    while any(gateway.stats(r"^listener_manager\.total_(filter_chains|listeners)_draining$").values()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_server_level_cors_counts_each_request_once(gateway: LiveGateway, pet: ScriptedNative) -> None:
    publish(gateway, apis(gateway, pet.port, on=True))
    counts = DecisionCounts(gateway)
    send(gateway, "/gateway/pet/1/x", FROM_GOOD)
    send(gateway, "/gateway/watched/1/x")
    send(gateway, "/nowhere", FROM_GOOD)
    send(gateway, "/nowhere", FROM_FOREIGN)
    send(gateway, "/nowhere", FROM_FOREIGN, method="OPTIONS")
    send(gateway, "/gateway/pet/1/x", FROM_FOREIGN, PREFLIGHT, method="OPTIONS")
    assert counts.new(6) == {
        at_server_level("cors-request", "origin-allowed"): 2,
        at_server_level("no-origin", "no-origin"): 1,
        at_server_level("cors-request", "origin-refused"): 2,
        at_server_level("preflight", "origin-refused"): 1,
    }


def test_refusals_are_reported_with_what_was_asked(
    gateway: LiveGateway, pet: ScriptedNative, reports: Reports
) -> None:
    publish(gateway, apis(gateway, pet.port))
    before = time.time()
    names = ("Access-Control-Request-Headers", "x-a,\xe2\x80\xae")
    fetch = (BROWSER, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", "empty"))
    headers = (FROM_GOOD, PREFLIGHT, names, *fetch, ("User-Agent", 'a\xff"b'))
    answer = send(gateway, "/gateway/pet/1/x?secret", *headers, method="OPTIONS")
    [request] = reports.take(1)
    assert before - 1 < request.time < time.time() + 1
    assert request == SampledRequest(
        series("preflight", "header-refused"),
        node="test",
        time=request.time,
        request_id=answer.all("x-request-id")[0],
        method="OPTIONS",
        path="/gateway/pet/1/x",
        status=403,
        origin=GOOD,
        request_method="GET",
        request_headers="x-a,\u202e",
        address="127.0.0.1",
        user_agent='a!"b',
        fetch_site="cross-site",
        fetch_mode="cors",
        fetch_dest="empty",
    )


@pytest.mark.parametrize("on", [False, True], ids=["policies of APIs", "server-level CORS"])
def test_only_own_refusals_are_reported_as_refusals(
    gateway: LiveGateway, pet: ScriptedNative, reports: Reports, *, on: bool
) -> None:
    """A client's own lookup header does not hide its requests either."""
    declared = with_gateway(apis(gateway, pet.port, on=on), telemetry=Telemetry(allowed_per_second=0))
    publish(gateway, declared)
    for status in (403, 405):
        assert send(gateway, f"/gateway/pet/1/status/{status}", FROM_GOOD).status == status
        assert send(gateway, f"/gateway/pet/1/status/{status}").status == status
    send(gateway, "/gateway/pet/1/x", FROM_FOREIGN, ("X-Crossgate-Path", "passed"), method="PROPFIND")
    send(gateway, "/gateway/watched/1/status/404", FROM_FOREIGN)
    propfind, other = reports.take(2)
    assert (propfind.method, propfind.series.reason, propfind.status) == ("PROPFIND", "origin-refused", 403)
    if on:
        assert other.series == at_server_level("cors-request", "origin-refused")
    else:
        assert other.series == series("cors-request", "origin-refused", api="watched", observed=True)
        # Of a forwarded request, Envoy knows the path that it has forwarded.
        assert (other.status, other.path) == (404, "/status/404")


@pytest.mark.parametrize("on", [False, True], ids=["policies of APIs", "server-level CORS"])
def test_allowed_requests_with_an_origin_are_sampled(
    gateway: LiveGateway, pet: ScriptedNative, reports: Reports, *, on: bool
) -> None:
    declared = with_gateway(apis(gateway, pet.port, on=on), telemetry=Telemetry(refusals_per_second=0))
    publish(gateway, declared)
    send(gateway, "/gateway/pet/1/x", FROM_FOREIGN)
    send(gateway, "/gateway/watched/1/x", FROM_FOREIGN)
    send(gateway, "/gateway/pet/1/x")
    send(gateway, "/gateway/pet/1/status/403", FROM_GOOD)
    send(gateway, "/gateway/pet/1/x", FROM_GOOD, PREFLIGHT, method="OPTIONS")
    found = [(one.series.flow, one.series.reason, one.status) for one in reports.take(2)]
    assert found == [("cors-request", "origin-allowed", 403), ("preflight", "preflight-allowed", 200)]


def test_requests_are_drawn_at_random_besides(
    reports: Reports, gateway: LiveGateway, pet: ScriptedNative
) -> None:
    publish(gateway, with_gateway(apis(gateway, pet.port), telemetry=Telemetry(allowed_per_second=0)))
    reports.drawn.clear()
    # That none of so many is drawn happens once in a hundred million times.
    sent = {send(gateway, "/gateway/pet/1/x", FROM_FOREIGN).all("x-request-id")[0] for _ in range(600)}
    reports.take_until(lambda one: one.request_id in sent)
    deadline = time.monotonic() + _SECONDS
    while not reports.drawn:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert {one.request_id for one in reports.drawn} <= sent
    assert {one.series.reason for one in reports.drawn} == {"origin-refused"}


def test_browsers_have_a_bucket_of_their_own_and_rates_change_without_the_listener(
    gateway: LiveGateway, pet: ScriptedNative, reports: Reports
) -> None:
    declared = apis(gateway, pet.port)
    publish(gateway, declared)
    replaced = "listener_manager.listener_modified"
    before = gateway.stats(replaced)[replaced]
    with http1(gateway.port) as connection:
        request = RawRequest("GET", "/gateway/pet/1/x", (("Host", "a"), FROM_FOREIGN))
        connection.send(request)
        publish(gateway, with_gateway(declared, telemetry=Telemetry(refusals_per_second=1)))
        for _ in range(50):
            connection.send(request)
        connection.send(replace(request, headers=(*request.headers, BROWSER)))
    assert gateway.stats(replaced)[replaced] == before
    denied = "access_log.process_ratelimit.denied"
    assert gateway.stats(denied)[denied] > 0
    assert len(reports.take_until(lambda one: one.fetch_mode == "cors")) < 52

    publish(gateway, with_gateway(declared, telemetry=Telemetry(enabled=False)))
    counts = DecisionCounts(gateway)
    send(gateway, "/gateway/pet/1/x", FROM_FOREIGN)
    assert not counts.new(0)


HOSTILE = (
    '"},{"a":"',
    "=cmd()",
    "<script>",
    "a\tb",
    "https://\xe2\x80\xae.example",
    "\xc2\x9b31m",
    "\xff\xfe",
    "x" * 8000,
)


def lines_after(file: Path, traffic: Callable[[LiveGateway, Catalogue], None], native: int) -> list[str]:
    """The lines of an access log after the traffic, when Envoy has ended."""
    with live_gateway() as gateway:
        traffic(gateway, apis(gateway, native))
    text = file.read_text(encoding="ascii")
    assert text.endswith("\n")
    assert text.isascii()
    return text.splitlines()


def test_the_access_log_has_refusals_with_every_value_escaped(pet: ScriptedNative, tmp_path: Path) -> None:
    file = tmp_path / "access.log"

    def traffic(gateway: LiveGateway, declared: Catalogue) -> None:
        publish(gateway, with_gateway(declared, access_log=AccessLog(str(file))))
        for value in HOSTILE:
            headers = (("Origin", value), ("Access-Control-Request-Headers", value), PREFLIGHT)
            send(gateway, '/gateway/pet/1/"<x>?secret=1', *headers, method="OPTIONS")
        send(gateway, "/gateway/pet/1/status/403?secret", FROM_GOOD)
        send(gateway, "/gateway/watched/1/x?secret", FROM_FOREIGN)
        send(gateway, "/gateway/pet/1/..%2fx?secret", FROM_GOOD)
        send(gateway, "/nowhere?secret", FROM_GOOD)

    lines = lines_after(file, traffic, pet.port)
    assert not any("secret" in line for line in lines)
    entries = [json.loads(line) for line in lines]
    assert len(entries) == len(HOSTILE) + 2
    refused, [observed, malformed] = entries[: len(HOSTILE)], entries[len(HOSTILE) :]
    for value, entry in zip(HOSTILE, refused, strict=True):
        assert entry["decision"] == "pet/1 /gateway/pet/1 cors-request origin-refused"
        assert (entry["method"], entry["status"]) == ("OPTIONS", 403)
        assert entry["path"] == "/gateway/pet/1/%22%3Cx%3E"
        if value.isascii():
            assert (entry["origin"], entry["requested_headers"]) == (value, value)
            assert entry["requested_method"] == "GET"
        else:
            assert entry["unprintable"] is True
            assert "origin" not in entry
    assert observed["decision"].endswith(" origin-refused observed")
    assert (malformed["decision"].split()[-1], malformed["status"]) == ("path-malformed", 400)


def test_the_access_log_can_be_rotated(pet: ScriptedNative, tmp_path: Path) -> None:
    file = tmp_path / "access.log"

    def wait_for_lines() -> None:
        deadline = time.monotonic() + _SECONDS
        while not (file.exists() and file.stat().st_size):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def traffic(gateway: LiveGateway, declared: Catalogue) -> None:
        publish(gateway, with_gateway(declared, access_log=AccessLog(str(file))))
        send(gateway, "/gateway/pet/1/before", FROM_FOREIGN)
        wait_for_lines()  # what Envoy has not written yet goes to the next file
        file.rename(tmp_path / "access.log.1")
        transport = httpx.HTTPTransport(uds=str(gateway.envoy.settings.directory.admin_socket))
        with httpx.Client(transport=transport, base_url="http://envoy") as admin:
            admin.post("/reopen_logs").raise_for_status()
            send(gateway, "/gateway/pet/1/truncated", FROM_FOREIGN)
            admin.post("/reopen_logs").raise_for_status()
        wait_for_lines()
        os.truncate(file, 0)
        send(gateway, "/gateway/pet/1/after", FROM_FOREIGN)

    after = lines_after(file, traffic, pet.port)
    before = (tmp_path / "access.log.1").read_text().splitlines()
    paths = [[json.loads(line)["path"] for line in lines] for lines in (before, after)]
    assert paths == [["/gateway/pet/1/before"], ["/gateway/pet/1/after"]]


def test_the_access_log_can_have_all_requests(pet: ScriptedNative, tmp_path: Path) -> None:
    file = tmp_path / "access.jsonl"
    ids: list[str] = []

    def traffic(gateway: LiveGateway, declared: Catalogue) -> None:
        log = AccessLog(str(file), LoggedRequests.ALL)
        publish(gateway, with_gateway(declared, access_log=log, ready_path=True))
        send(gateway, READY)
        for path in ("/gateway/pet/1/x?secret", "/nowhere?secret"):
            ids.extend(send(gateway, path, FROM_GOOD).all("x-request-id"))

    entries = [json.loads(line) for line in lines_after(file, traffic, pet.port)]
    assert [entry["request_id"] for entry in entries] == ids
    assert [(entry["decision"], entry["status"]) for entry in entries] == [
        ("pet/1 /gateway/pet/1 cors-request origin-allowed", 200),
        (None, 404),
    ]
    assert entries[0]["time"].endswith("Z")


@pytest.mark.parametrize("on", [False, True], ids=["policies of APIs", "server-level CORS"])
def test_every_response_has_a_request_id_of_the_gateway(
    gateway: LiveGateway, pet: ScriptedNative, *, on: bool
) -> None:
    with refusing_port() as deaf:
        declared = apis(gateway, pet.port, on=on)
        declared = replace(declared, apis={**declared.apis, "deaf/1": api("deaf", deaf, POLICY)})
        publish(gateway, declared)
        own = ("X-Request-Id", "chosen")
        answers = [
            send(gateway, "/gateway/pet/1/x?header=X-Request-Id:native", FROM_GOOD, own),
            send(gateway, "/gateway/pet/1/x", FROM_GOOD, PREFLIGHT, own, method="OPTIONS"),
            send(gateway, "/gateway/pet/1/x", FROM_FOREIGN, own),
            send(gateway, "/nowhere", own),
            send(gateway, "/gateway/deaf/1", FROM_GOOD, own),
        ]
    assert [one.status for one in answers] == [200, 200, 403, 404, 503]
    ids = [one.all("x-request-id") for one in answers]
    assert all(len(found) == 1 and len(found[0]) == 36 for found in ids)
    assert len({found[0] for found in ids}) == len(answers)


@pytest.mark.parametrize("on", [False, True], ids=["policies of APIs", "server-level CORS"])
def test_load_balancers_can_ask_whether_it_is_ready(
    gateway: LiveGateway, pet: ScriptedNative, *, on: bool
) -> None:
    declared = apis(gateway, pet.port, on=on)
    publish(gateway, declared)
    assert send(gateway, READY).status == 404
    publish(gateway, with_gateway(declared, ready_path=True))
    counts = DecisionCounts(gateway)
    answer = send(gateway, READY, FROM_FOREIGN)
    assert (answer.status, answer.body, cors_of(answer)) == (200, b"", {})
    assert send(gateway, READY, method="HEAD").status == 200
    assert send(gateway, f"{READY}/x").status == 404
    assert send(gateway, READY, method="POST").status == 404
    # The readiness path itself is not a decision.
    assert counts.new(2).total() == 2


@pytest.mark.usefixtures("gateway")
def test_it_is_not_ready_while_it_drains(pet: ScriptedNative) -> None:
    with live_gateway() as leaving:
        publish(leaving, with_gateway(apis(leaving, pet.port), ready_path=True))
        request = RawRequest("GET", READY, (("Host", "gateway.test"),))
        with http1(leaving.port) as connection:
            assert connection.send(request).status == 200
            leaving.begin_drain()
            assert connection.send(request).status == 503


def test_nothing_of_a_foreign_origin_is_a_label(gateway: LiveGateway, pet: ScriptedNative) -> None:
    publish(gateway, apis(gateway, pet.port))
    counts = DecisionCounts(gateway)
    for value in (FOREIGN, *HOSTILE):
        send(gateway, "/gateway/pet/1/x", ("Origin", value))
    assert counts.new(1 + len(HOSTILE)) == {series("cors-request", "origin-refused"): 1 + len(HOSTILE)}
