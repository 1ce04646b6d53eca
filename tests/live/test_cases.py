"""The case table, through a real Envoy, which also counts each decision as the engine makes it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from urllib.parse import quote

import pytest
from tests.case_table import Case, load_cases
from tests.live.decision_counts import DecisionCounts, decided_series
from tests.live.in_process_gateway import LiveGateway, api, catalogue_of, live_gateway
from tests.native_services import ScriptedNative
from tests.raw_http import RawRequest, RawResponse, http1, send_http2
from tests.visible_result import visible_result

from crossgate.catalogue.model import Application, Catalogue
from crossgate.catalogue.underscore_headers import UnderscoreHeaders
from crossgate.compiler.route_names import UNMATCHED, DecisionSeries
from crossgate.policy import Flow, ServerPolicy, build_policy
from crossgate.policy.responses import API_RESPONSES, SERVER_RESPONSES

pytestmark = pytest.mark.live

CASES = load_cases("gateway")
LATE = 0.2
"""Seconds in which a native service that is late does not respond."""
_markers = count()


@pytest.fixture(scope="module")
def native() -> Iterator[ScriptedNative]:
    with ScriptedNative() as service:
        yield service


@pytest.fixture(scope="module")
def apis_gateway() -> Iterator[LiveGateway]:
    with live_gateway() as gateway:
        yield gateway


@pytest.fixture(scope="module")
def server_gateway() -> Iterator[LiveGateway]:
    """For cases that change the listener: server-level CORS, and settings of the gateway."""
    with live_gateway() as gateway:
        yield gateway


def group(case: Case) -> tuple[object, ...]:
    """What cases have in common that one catalogue can serve."""
    alone = case.policy_key if case.server is not None else None
    return case.public_origins, case.same_origin, case.underscore_headers, alone


def name_of(case: Case) -> str:
    keys = sorted({other.policy_key for other in CASES if other.server is None})
    name = "anything" if case.server is not None else f"api-{keys.index(case.policy_key)}"
    return f"late-{name}" if case.native_fails == "late" else name


def catalogue_for(case: Case, port: int, native_port: int) -> Catalogue:
    alike = {name_of(other): other for other in CASES if group(other) == group(case)}
    apis = [
        api(
            name,
            native_port,
            build_policy(**other.policy) if other.policy is not None else None,
            native_timeout=LATE if other.native_fails == "late" else None,
        )
        for name, other in alike.items()
    ]
    applications = [
        Application(f"app-{name}", other.application_origins, (f"{name}/1",))
        for name, other in alike.items()
        if other.application_origins
    ]
    server = case.prepared() if case.server is not None else None
    assert server is None or isinstance(server, ServerPolicy)
    return catalogue_of(
        port,
        apis,
        applications=applications,
        public_origins=case.public_origins,
        same_origin=case.same_origin,
        underscore_headers=case.underscore_headers,
        server_policy=server,
    )


_published: dict[int, tuple[object, ...]] = {}
_counts: dict[int, DecisionCounts] = {}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case(
    case: Case, native: ScriptedNative, apis_gateway: LiveGateway, server_gateway: LiveGateway
) -> None:
    usual = case.server is None and case.underscore_headers is UnderscoreHeaders.REJECT
    gateway = apis_gateway if usual else server_gateway
    if _published.get(gateway.port) != group(case):
        outcome = gateway.publish(catalogue_for(case, gateway.port, native.port))
        assert outcome.applied, outcome.rejections
        _published[gateway.port] = group(case)
        _counts[gateway.port] = DecisionCounts(gateway)
    marker = f"case-{next(_markers)}"
    answer = send(case, gateway.port, marker)
    seen = visible_result(
        reaches_native=bool(native.log.with_marker(marker)),
        status=answer.status,
        headers=answer.headers,
        body=None if case.request.method == "HEAD" else answer.text,
    )
    assert not case.gateway.differences(seen)
    [counted] = _counts[gateway.port].new(1)
    assert counted == (series_of(case) if answer.all("x-request-id") else UNMATCHED)


def series_of(case: Case) -> DecisionSeries:
    return decided_series(case.prepared(), case.request.parsed(), name_of(case))


def test_the_table_has_every_outcome_that_is_counted() -> None:
    found = {(one.api == "server-level", one.flow, one.reason, one.observed) for one in map(series_of, CASES)}
    observed = {
        outcome for outcome in API_RESPONSES if outcome.flow not in (Flow.MALFORMED, Flow.PASS_THROUGH)
    }
    assert found == {
        *((False, *outcome, False) for outcome in API_RESPONSES),
        *((False, *outcome, True) for outcome in observed),
        *((True, *outcome, False) for outcome in SERVER_RESPONSES),
    }


def send(case: Case, port: int, marker: str) -> RawResponse:
    directives = "".join(f"&header={quote(f'{name}:{value}')}" for name, value in case.native.headers)
    responses = {"late": "/slow", "never": "/reset"}
    path = case.request.path or responses.get(case.native_fails, f"/status/{case.native.status}")
    directives += "&seconds=20" if case.native_fails else ""
    target = f"/gateway/{name_of(case)}/1{path}?{marker}{directives}"
    request = RawRequest(case.request.method, target, case.request.headers)
    if case.request.http == "2":
        return send_http2(port, request)
    with http1(port) as connection:
        return connection.send(request)
