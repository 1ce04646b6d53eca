"""Laws of the decision, for any policy and any request."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import example, given
from tests.differential.generate import Sample
from tests.property.policy.arbitrary import is_refused, policies_and_requests

from crossgate.policy import Answer, Flow, Forward, Reason, Request, decide

CORS_PREFIX = "access-control-"


@given(policies_and_requests())
def test_the_same_input_gives_the_same_decision(pair: tuple[Sample, Request]) -> None:
    sample, request = pair
    assert decide(sample.prepared(), request) == decide(sample.prepared(), request)


@given(policies_and_requests())
def test_observing_forwards_everything_and_records_what_enforcing_would_do(
    pair: tuple[Sample, Request],
) -> None:
    sample, request = pair
    enforced = decide(sample.with_policy(mode="enforce").prepared(), request)
    observed = decide(sample.with_policy(mode="observe").prepared(), request)
    if enforced.flow is Flow.MALFORMED:
        vary = [header for header in enforced.headers if header[0] == "Vary"]
        assert set(observed.headers) == set(enforced.headers) - set(vary)
        assert replace(observed, headers=enforced.headers) == enforced
        return
    assert isinstance(observed, Forward)
    assert (observed.strip, observed.vary, observed.headers) == (False, False, ())
    assert (observed.flow, observed.reason) == (enforced.flow, enforced.reason)
    assert observed.would == (enforced if isinstance(enforced, Answer) else None)


@given(policies_and_requests())
def test_nothing_is_reflected_that_was_not_matched(pair: tuple[Sample, Request]) -> None:
    sample, request = pair
    policy = sample.prepared()
    assert policy is not None
    configured = policy.policy
    methods = "GET, HEAD, POST, PUT, PATCH, DELETE"
    own = {"*", "true", "Origin", methods, f"{methods}, OPTIONS", str(configured.max_age)}
    own |= {
        ", ".join(lists)
        for lists in (configured.allowed_methods, configured.allow_headers, configured.expose_headers)
    }
    for name, value in decide(policy, request).headers:
        match name.lower():
            case "access-control-allow-origin" if value == request.origin:
                assert request.origin in policy.origins
            case "access-control-allow-methods" if value == request.request_method:
                assert "*" in configured.allowed_methods or value in configured.allowed_methods
                assert re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", value)
            case "access-control-allow-headers" if value == request.request_headers:
                assert "*" in configured.allow_headers or value in configured.allow_headers
                assert re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z, \t-]+", value)
            case _:
                assert value in own


@given(policies_and_requests())
def test_a_refusal_carries_no_cors_header(pair: tuple[Sample, Request]) -> None:
    sample, request = pair
    decision = decide(sample.prepared(), request)
    if is_refused(decision):
        assert not [name for name, _ in decision.headers if name.lower().startswith(CORS_PREFIX)]


@given(policies_and_requests())
def test_every_405_says_what_is_allowed_and_nothing_else_does(pair: tuple[Sample, Request]) -> None:
    sample, request = pair
    decision = decide(sample.prepared(), request)
    says = "Allow" in dict(decision.headers)
    assert says == (isinstance(decision, Answer) and decision.status == 405)


@given(policies_and_requests())
@example((Sample({"allowed_origins": ["*"]}), Request("GET", "no origin")))
@example((Sample({"allowed_origins": ["*"]}), Request("OPTIONS", "https://a.example", "GET")))
def test_everything_varies_on_the_origin_except_what_all_origins_get(pair: tuple[Sample, Request]) -> None:
    sample, request = pair
    enforcing = sample.with_policy(mode="enforce")
    assert enforcing.policy is not None
    decision = decide(enforcing.prepared(), request)
    varies = decision.vary if isinstance(decision, Forward) else ("Vary", "Origin") in decision.headers
    # Under * too, a value that is not an origin is refused.
    refused = decision.reason is Reason.ORIGIN_REFUSED
    assert varies == (refused or "*" not in enforcing.policy["allowed_origins"])


@given(policies_and_requests())
def test_no_preflight_reaches_the_native_service(pair: tuple[Sample, Request]) -> None:
    sample, request = pair
    enforcing = sample.with_policy(mode="enforce", plain_options="refuse").prepared()
    if request.method == "OPTIONS":
        assert isinstance(decide(enforcing, request), Answer)


@given(policies_and_requests())
def test_the_star_never_meets_credentials(pair: tuple[Sample, Request]) -> None:
    sample, request = pair
    headers = dict(decide(sample.prepared(), request).headers)
    if headers.get("Access-Control-Allow-Credentials") == "true":
        assert "*" not in {
            headers["Access-Control-Allow-Origin"],
            headers.get("Access-Control-Expose-Headers"),
        }
