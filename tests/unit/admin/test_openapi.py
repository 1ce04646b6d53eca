"""Responses match the OpenAPI document for generated valid and invalid requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.admin_api import AdminApi, running_admin_api
from tests.refusals import Collected, batch, delta, group_key, now, series

from crossgate.admin.app import routes
from crossgate.service.memory_telemetry import InMemoryTelemetryStore
from crossgate.service.ports import CounterKey
from crossgate.service.refusals import RequestRecord
from crossgate.store import SqliteDirectory, open_store

DESCRIPTION = schemathesis.openapi.from_dict(routes().openapi())
OPERATIONS = [found.ok() for found in DESCRIPTION.get_all_operations() if isinstance(found, Ok)]
GROUP = group_key()
EXISTING = {
    "name": "pets",
    "version": "1.0",
    "api_name": "pets",
    "api_version": "1.0",
    "number": 1,
    "group": GROUP.id,
    "request_id": "r1",
    "code": "origin-unbounded",
    "node": "n1",
    "session_id": "0123456789ab",
}
EXAMPLES = 10
STATE = """
apis: [{name: pets, version: "1.0", type: rest, native: "http://127.0.0.1:9101", cors: {}}]
applications: [{name: pets, apis: [pets/1.0]}]
"""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


# There is nothing that a request for liveness could get wrong. Event streams do not end: they are tested with
# their events.
CASES = [
    pytest.param(operation, mode, id=f"{operation.label} {mode.name.lower()}")
    for operation in OPERATIONS
    for mode in GenerationMode
    if operation.path != "/live" or mode is GenerationMode.POSITIVE
    if not operation.path.endswith("/events")
]


def test_every_operation_has_a_case() -> None:
    assert len(OPERATIONS) == sum(map(len, routes().openapi()["paths"].values()))


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdminApi]:
    location = SqliteDirectory(tmp_path_factory.mktemp("described"))
    telemetry, collected = InMemoryTelemetryStore(), Collected()
    telemetry.add_telemetry(batch(delta(GROUP, 3), counters={CounterKey("n1", "a", series()): 3}))
    collected.counters = {CounterKey("n1", "a", series()): 3}
    collected.requests["r1"] = RequestRecord("r1", now(), "n1", series(), 403, "OPTIONS")
    with (
        open_store(location) as store,
        running_admin_api(store.catalogue, store.tokens, telemetry=telemetry, recent=collected) as running,
    ):
        yield running


@pytest.mark.parametrize(("operation", "mode"), CASES)
def test_responses_match_the_openapi_document(
    lasting: AdminApi, operation: schemathesis.APIOperation[Any, Any, Any, Any], mode: GenerationMode
) -> None:
    # It resets the gateway and the settings too, which an earlier case may have changed.
    restored = lasting.admin.post(
        "/v1/apply", content=STATE, headers={"If-Match": "*"}, params={"prune": "true", "confirm": "true"}
    )
    assert restored.status_code == 200
    token = lasting.admin.headers["Authorization"]
    # Checking a document that is wrong is answered, not refused.
    refuses = mode is GenerationMode.NEGATIVE and operation.path != "/v1/check"
    checks = [*CHECKS, negative_data_rejection] if refuses else CHECKS

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(case=operation.as_strategy(generation_mode=mode), existing=st.booleans(), seen=st.booleans())
    def judge(case: schemathesis.Case[Any], existing: bool, seen: bool) -> None:
        if existing and mode is GenerationMode.POSITIVE:
            case.path_parameters = {name: EXISTING[name] for name in case.path_parameters}
        headers = {"Authorization": token}
        if seen:
            headers["If-Match"] = "*"
        # A generated Host is answered 421, before anything that is judged here.
        case.headers.pop("Host", None)
        answer = case.call(base_url=lasting.url, headers=headers)
        case.validate_response(answer, checks=checks)

    judge()
