"""What a browser sends for a request of a page's script."""

from __future__ import annotations

import pytest

from crossgate.policy import EffectivePolicy, Request, build_policy
from crossgate.policy.script_request import deciding_stage, request_stages, script_stages, unsafe_headers

ORIGIN = "https://app.example.com"
POLICY = EffectivePolicy.of(
    build_policy(allowed_origins=[ORIGIN], allowed_methods=["PUT", "GET"], allow_headers=["Content-Type"])
)


def sent(request: Request, policy: EffectivePolicy | None = POLICY) -> list[tuple[str, str, bool | None]]:
    return [(one.name.value, one.request.method, one.sent) for one in script_stages(policy, request)]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request("GET", ORIGIN), [("request", "GET", True)]),
        (Request("post", ORIGIN, content_type="text/plain;charset=utf-8"), [("request", "POST", True)]),
        (Request("put", ORIGIN), [("preflight", "OPTIONS", True), ("request", "PUT", True)]),
        (Request("patch", ORIGIN), [("preflight", "OPTIONS", True), ("request", "patch", False)]),
        (
            Request("GET", ORIGIN, content_type="application/json"),
            [("preflight", "OPTIONS", True), ("request", "GET", True)],
        ),
        (Request("DELETE"), [("request", "DELETE", True)]),
        (Request("DELETE", ORIGIN, sec_fetch_site="same-origin"), [("request", "DELETE", True)]),
    ],
)
def test_a_preflight_goes_first_where_fetch_wants_one(
    request_: Request, expected: list[tuple[str, str, bool | None]]
) -> None:
    assert sent(request_) == expected


def test_without_a_policy_the_native_service_decides() -> None:
    assert sent(Request("PUT", ORIGIN), None)[1] == ("request", "PUT", None)


def test_header_names_are_sorted_and_safelisted_ones_left_out() -> None:
    assert unsafe_headers("X-B, accept,,x-a,X-b", "multipart/form-data") == ["x-a", "x-b"]
    assert unsafe_headers("content-type") == ["content-type"]
    assert unsafe_headers("", "text/plain;" + "x" * 200) == ["content-type"]


def test_a_preflight_is_followed_by_what_it_asks_for() -> None:
    stages = request_stages(POLICY, Request("OPTIONS", ORIGIN, "PUT"))
    assert [one.request.method for one in stages] == ["OPTIONS", "PUT"]
    assert deciding_stage(stages).name == "request"
    refused = request_stages(POLICY, Request("OPTIONS", ORIGIN, "PATCH"))
    assert deciding_stage(refused).name == "preflight"
