"""The flows as tables: in the order of the reference page, and each outcome with a response."""

from __future__ import annotations

import re

import pytest
from tests.source import ROOT

from crossgate.policy import Flow, Request
from crossgate.policy.flow import (
    CORS_REQUEST,
    MALFORMED,
    NO_ORIGIN,
    NO_POLICY,
    PREFLIGHT,
    SERVER_PREFLIGHT,
    SERVER_REQUEST,
    FlowTable,
)
from crossgate.policy.request import HEADERS
from crossgate.policy.responses import API_RESPONSES, SERVER_RESPONSES

PAGE = (ROOT / "docs" / "reference" / "policy.md").read_text(encoding="utf-8")


def documented(heading: str) -> list[str]:
    """The reasons in the table under the heading."""
    section = PAGE.partition(f"## {heading}")[2].partition("\n## ")[0]
    return re.findall(r"^\|.*\| `([a-z-]+)` \|$", section, re.MULTILINE)


def reasons(flow: FlowTable[object]) -> list[str]:
    return [*(step.outcome.reason.value for step in flow.steps), flow.passed.reason.value]


def test_the_steps_are_in_the_order_of_the_reference() -> None:
    assert documented("Preflight") == reasons(PREFLIGHT)  # type: ignore[arg-type]
    assert documented("CORS request") == reasons(CORS_REQUEST)  # type: ignore[arg-type]
    assert documented("Server-level CORS") == reasons(SERVER_REQUEST)[:-1]  # type: ignore[arg-type]
    assert documented("Server-level CORS") == reasons(SERVER_PREFLIGHT)[:-1]  # type: ignore[arg-type]
    assert documented("Malformed requests") == [step.outcome.reason.value for step in MALFORMED]


def test_the_outcomes_are_those_with_a_response() -> None:
    malformed = {step.outcome for step in MALFORMED}
    api = {NO_ORIGIN.passed, NO_POLICY.passed, *malformed}
    for flow in (PREFLIGHT, CORS_REQUEST):
        steps = flow.steps
        api |= {flow.passed, *(step.outcome for step in steps)}
        api |= {step.plain_outcome for step in steps if step.plain_outcome is not None}
    server = {NO_ORIGIN.passed, *malformed}
    for table in (SERVER_PREFLIGHT, SERVER_REQUEST):
        server |= {table.passed, *(step.outcome for step in table.steps)}
    assert api == set(API_RESPONSES)
    assert server == set(SERVER_RESPONSES)


@pytest.mark.parametrize("name", HEADERS)
def test_the_headers_of_a_request_are_its_attributes(name: str) -> None:
    request = Request.of("GET", [(name.upper(), "value")])
    assert request.header(name) == "value"
    assert request == Request("GET", **{HEADERS[name]: "value"})


def test_malformed_requests_are_the_same_at_both_levels() -> None:
    malformed = {outcome for outcome in API_RESPONSES if outcome.flow is Flow.MALFORMED}
    assert all(API_RESPONSES[outcome] == SERVER_RESPONSES[outcome] for outcome in malformed)
